#include <atomic>

#include "durable/background.h"
#include "test.h"

using hopspan::Progress;
using hopspan::durable::Background;

TEST(background_calls_until_it_ends) {
  std::atomic<int> calls{0};
  {
    const std::chrono::milliseconds interval(1);
    const auto background = Background::start(interval, [&](const Progress&) {
      ++calls;
      return interval;
    });
    while (calls < 3) std::this_thread::yield();
  }
  const int then = calls;
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  CHECK_EQUAL(calls.load(), then);
}

TEST(background_ends_without_waiting_for_its_interval) {
  Background::start(std::chrono::hours(1), [](const Progress&) { return std::chrono::hours(1); });
}

TEST(background_sleeps_until_it_is_woken) {
  std::atomic<int> calls{0};
  const auto background = Background::start(std::chrono::milliseconds(0), [&](const Progress&) {
    ++calls;
    return Background::Pause();
  });
  while (calls < 1) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  CHECK_EQUAL(calls.load(), 1);
  background->wake();
  while (calls < 2) std::this_thread::yield();
}

TEST(background_stops_a_call_that_takes_long) {
  std::atomic<bool> begun{false};
  auto background = Background::start(std::chrono::milliseconds(0), [&](const Progress& stop) -> Background::Pause {
    for (begun = true;;) stop(0, 1);
  });
  while (!begun) std::this_thread::yield();
  background.reset();
}
