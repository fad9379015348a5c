#include <atomic>

#include "durable/flusher.h"
#include "test.h"

TEST(flusher_calls_until_it_ends) {
  std::atomic<int> calls{0};
  {
    hopspan::durable::Flusher flusher(std::chrono::milliseconds(1), [&] { ++calls; });
    while (calls < 3) std::this_thread::yield();
  }
  const int then = calls;
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  CHECK_EQUAL(calls.load(), then);
}

TEST(flusher_ends_without_waiting_for_its_interval) {
  hopspan::durable::Flusher flusher(std::chrono::hours(1), [] {});
}
