#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/threads.h"
#include "test.h"

#if defined(__linux__)
#include <sched.h>
#endif

using hopspan::Progress;
using hopspan::core::available_threads;
using hopspan::core::parallel_for;
using hopspan::core::worker_count;

namespace {

using std::chrono::milliseconds;

std::size_t sum_below(std::size_t count, std::size_t grain, std::size_t threads) {
  std::atomic<std::size_t> sum{0};
  parallel_for(count, grain, threads, {}, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (; begin < end; ++begin) sum += begin;
  });
  return sum;
}

std::size_t expected_sum(std::size_t count) { return count * (count - 1) / 2; }

// Waits until `wanted` bodies are inside at once.
class Meeting {
 public:
  explicit Meeting(int wanted) : missing_(wanted) {}
  void join() {
    --missing_;
    while (missing_ > 0) std::this_thread::yield();
  }

 private:
  std::atomic<int> missing_;
};

}  // namespace

TEST(threads_every_item_once_in_ascending_pieces) {
  for (const std::size_t threads : {0, 1, 2, 3, 8, 64}) {
    for (const std::size_t count : {0, 1, 2, 7, 100, 1000}) {
      for (const std::size_t grain : {0, 1, 3, 64, 5000}) {
        std::vector<std::atomic<int>> seen(count);
        const std::size_t workers = worker_count(count, grain, threads);
        std::vector<std::size_t> last(workers, 0);
        std::atomic<bool> fine{true};
        parallel_for(count, grain, threads, {}, [&](std::size_t begin, std::size_t end, std::size_t worker) {
          if (worker >= workers || begin < last[worker] || end - begin > std::max<std::size_t>(grain, 1)) fine = false;
          last[worker] = end;
          for (; begin < end; ++begin) ++seen[begin];
        });
        CHECK(fine);
        CHECK(std::all_of(seen.begin(), seen.end(), [](const std::atomic<int>& n) { return n == 1; }));
      }
    }
  }
}

TEST(threads_worker_numbers_are_unique) {
  constexpr std::size_t kThreads = 6;
  for (int round = 0; round < 50; ++round) {
    std::vector<std::atomic<bool>> busy(kThreads);
    std::atomic<bool> clash{false};
    parallel_for(200, 1, kThreads, {}, [&](std::size_t, std::size_t, std::size_t worker) {
      if (worker >= kThreads || busy[worker].exchange(true)) clash = true;
      std::this_thread::yield();
      busy[worker] = false;
    });
    CHECK(!clash);
  }
}

TEST(threads_run_at_once_and_the_caller_is_worker_0) {
  Meeting meeting(4);
  std::mutex mutex;
  std::vector<std::thread::id> ids(4);
  parallel_for(4, 1, 4, {}, [&](std::size_t, std::size_t, std::size_t worker) {
    meeting.join();
    const std::lock_guard<std::mutex> lock(mutex);
    ids[worker] = std::this_thread::get_id();
  });
  CHECK(ids[0] == std::this_thread::get_id());
  std::sort(ids.begin(), ids.end());
  CHECK(std::unique(ids.begin(), ids.end()) == ids.end());
}

TEST(threads_one_thread_or_one_piece_stays_on_the_caller) {
  bool elsewhere = false;
  const auto body = [&](std::size_t, std::size_t, std::size_t worker) {
    static const std::thread::id self = std::this_thread::get_id();
    elsewhere = elsewhere || std::this_thread::get_id() != self || worker != 0;
  };
  parallel_for(100, 1, 1, {}, body);
  parallel_for(100, 100, 8, {}, body);
  CHECK(!elsewhere);
}

TEST(threads_worker_count) {
  CHECK_EQUAL(worker_count(0, 1, 8), 1U);
  CHECK_EQUAL(worker_count(5, 1, 8), 5U);
  CHECK_EQUAL(worker_count(5, 2, 8), 3U);
  CHECK_EQUAL(worker_count(5, 0, 8), 5U);
  CHECK_EQUAL(worker_count(100, 1, 8), 8U);
  CHECK_EQUAL(worker_count(100, 100, 8), 1U);
  CHECK_EQUAL(worker_count(100, 1, 1), 1U);
  CHECK_EQUAL(worker_count(100000, 1, 0), available_threads());
  CHECK(worker_count(SIZE_MAX, 1, SIZE_MAX) <= 4096);
}

#if defined(__linux__)
TEST(threads_available_follow_the_affinity_mask) {
  std::size_t pinned = 0;
  std::thread([&] {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>(sched_getcpu()), &set);
    if (sched_setaffinity(0, sizeof set, &set) == 0) pinned = available_threads();
  }).join();
  CHECK_EQUAL(pinned, 1U);
  CHECK(available_threads() >= 1);
}
#endif

TEST(threads_many_callers_at_once) {
  std::atomic<int> wrong{0};
  std::vector<std::thread> callers;
  for (std::size_t caller = 0; caller < 12; ++caller) {
    callers.emplace_back([&, caller] {
      for (std::size_t round = 0; round < 50; ++round) {
        const std::size_t count = 100 + caller * round;
        if (sum_below(count, 7, 1 + caller % 5) != expected_sum(count)) ++wrong;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK_EQUAL(wrong.load(), 0);
}

TEST(threads_nested_calls) {
  std::atomic<std::size_t> sum{0};
  parallel_for(6, 1, 4, {}, [&](std::size_t, std::size_t, std::size_t) {
    parallel_for(5, 1, 3, {}, [&](std::size_t, std::size_t, std::size_t) { sum += sum_below(50, 4, 4); });
  });
  CHECK_EQUAL(sum.load(), 30 * expected_sum(50));
}

TEST(threads_a_caller_needs_no_free_helper) {
  constexpr std::size_t kThreads = 8;
  sum_below(1000, 1, kThreads);
  std::atomic<bool> release{false};
  std::atomic<std::size_t> inside{0};
  std::thread hog([&] {
    parallel_for(kThreads, 1, kThreads, {}, [&](std::size_t, std::size_t, std::size_t) {
      ++inside;
      while (!release) std::this_thread::sleep_for(milliseconds(1));
    });
  });
  while (inside < kThreads) std::this_thread::yield();
  const std::size_t sum = sum_below(1000, 10, kThreads);
  release = true;
  hog.join();
  CHECK_EQUAL(sum, expected_sum(1000));
}

TEST(threads_first_exception_stops_the_rest) {
  for (const std::size_t threads : {1, 2, 5}) {
    std::atomic<std::size_t> started{0};
    std::atomic<std::size_t> ended{0};
    const auto body = [&](std::size_t begin, std::size_t, std::size_t) {
      ++started;
      if (begin == 20) throw std::runtime_error("piece 20");
      std::this_thread::sleep_for(std::chrono::microseconds(20));
      ++ended;
    };
    CHECK_THROWS(std::runtime_error, "piece 20", parallel_for(100000, 1, threads, {}, body));
    CHECK_EQUAL(ended, started - 1);
    CHECK(started < 100000);
    CHECK_EQUAL(sum_below(1000, 10, threads), expected_sum(1000));
  }
}

TEST(threads_exception_of_a_helper_reaches_the_caller) {
  Meeting meeting(3);
  CHECK_THROWS(std::out_of_range, "helper",
               parallel_for(3, 1, 3, {}, [&](std::size_t, std::size_t, std::size_t worker) {
                 meeting.join();
                 if (worker == 2) throw std::out_of_range("helper");
               }));
}

TEST(threads_progress_comes_from_the_caller_and_rises_to_the_end) {
  for (const std::size_t threads : {1, 3}) {
    const std::thread::id self = std::this_thread::get_id();
    const auto start = std::chrono::steady_clock::now();
    std::vector<std::size_t> calls;
    bool fine = true;
    const Progress progress = [&](std::size_t done, std::size_t total) {
      fine = fine && std::this_thread::get_id() == self && total == 300;
      calls.push_back(done);
    };
    parallel_for(300, 1, threads, progress,
                 [](std::size_t, std::size_t, std::size_t) { std::this_thread::sleep_for(milliseconds(1)); });
    const auto elapsed = std::chrono::steady_clock::now() - start;
    CHECK(fine);
    CHECK(calls.size() >= 2);
    CHECK(calls.size() <= static_cast<std::size_t>(elapsed / milliseconds(50)) + 1);
    CHECK(std::is_sorted(calls.begin(), calls.end()));
    CHECK_EQUAL(calls.back(), 300U);
  }
}

TEST(threads_progress_is_told_once_for_little_work_and_never_for_none) {
  for (const std::size_t threads : {1, 3}) {
    std::vector<std::size_t> calls;
    const Progress progress = [&](std::size_t done, std::size_t) { calls.push_back(done); };
    parallel_for(9, 3, threads, progress, [](std::size_t, std::size_t, std::size_t) {});
    CHECK_EQUAL(calls.size(), 1U);
    CHECK_EQUAL(calls[0], 9U);
    parallel_for(0, 3, threads, progress, [](std::size_t, std::size_t, std::size_t) {});
    CHECK_EQUAL(calls.size(), 1U);
  }
}

TEST(threads_progress_goes_on_while_the_caller_waits_for_helpers) {
  Meeting meeting(2);
  std::atomic<bool> told{false};
  const Progress progress = [&](std::size_t, std::size_t) { told = true; };
  parallel_for(2, 1, 2, progress, [&](std::size_t, std::size_t, std::size_t worker) {
    meeting.join();
    while (worker != 0 && !told) std::this_thread::sleep_for(milliseconds(1));
  });
  CHECK(told);
}

TEST(threads_exception_of_progress_cancels) {
  for (const std::size_t threads : {1, 3}) {
    std::atomic<std::size_t> started{0};
    std::atomic<std::size_t> ended{0};
    const Progress progress = [](std::size_t, std::size_t) { throw std::runtime_error("cancelled"); };
    const auto body = [&](std::size_t, std::size_t, std::size_t) {
      ++started;
      std::this_thread::sleep_for(milliseconds(1));
      ++ended;
    };
    CHECK_THROWS(std::runtime_error, "cancelled", parallel_for(100000, 1, threads, progress, body));
    CHECK(started < 100000);
    CHECK_EQUAL(started, ended);
  }
}
