#include <atomic>
#include <chrono>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "core/fair_mutex.h"
#include "test.h"

using hopspan::core::FairMutex;

TEST(a_writer_gets_in_between_readers_that_never_rest) {
  FairMutex mutex;
  std::atomic<bool> written{false};
  std::atomic<int> gave_up{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      for (int round = 0; !written; ++round) {
        if (round == 1000) {
          ++gave_up;
          return;
        }
        const std::shared_lock<FairMutex> lock(mutex);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    });
  }
  for (int i = 0; i < 5; ++i) const std::unique_lock<FairMutex> lock(mutex);
  written = true;
  for (std::thread& reader : readers) reader.join();
  CHECK_EQUAL(gave_up.load(), 0);
}

TEST(writers_exclude_each_other_and_readers) {
  FairMutex mutex;
  long long a = 0;
  long long b = 0;
  std::atomic<int> torn{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 20'000; ++round) {
        const std::unique_lock<FairMutex> lock(mutex);
        ++a;
        ++b;
      }
    });
    threads.emplace_back([&] {
      for (int round = 0; round < 20'000; ++round) {
        const std::shared_lock<FairMutex> lock(mutex);
        torn += a == b ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK_EQUAL(a, 40'000);
  CHECK_EQUAL(torn.load(), 0);
}

TEST(a_writer_lets_others_in_aside) {
  FairMutex mutex;
  int seen = 0;
  {
    const std::lock_guard<FairMutex> lock(mutex);
    const auto read = [&] {
      std::thread([&] {
        const std::shared_lock<FairMutex> shared(mutex);
        ++seen;
      }).join();
    };
    mutex.aside(read);
    hopspan::core::aside(&mutex, read);
    CHECK_THROWS(std::runtime_error, "enough", mutex.aside([&] {
      read();
      throw std::runtime_error("enough");
    }));
  }
  hopspan::core::aside(nullptr, [&] { ++seen; });
  CHECK_EQUAL(seen, 4);
  const std::lock_guard<FairMutex> lock(mutex);
}
