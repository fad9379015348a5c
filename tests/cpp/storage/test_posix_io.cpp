#include <vector>

#include "storage/posix_io.h"
#include "test.h"

using hopspan::storage::move_all;
using hopspan::storage::retry;

namespace {

// Plays calls that move that many bytes each; -errno for one that fails.
struct Script {
  std::vector<std::int64_t> results;
  std::vector<std::size_t> offsets;

  std::int64_t operator()(std::size_t done, std::size_t) {
    const std::int64_t result = results[offsets.size()];
    offsets.push_back(done);
    if (result >= 0) return result;
    errno = static_cast<int>(-result);
    return -1;
  }
};

}  // namespace

TEST(move_all_goes_on_after_short_and_interrupted_calls) {
  Script script{{3, -EINTR, 1, -EINTR, -EINTR, 6}, {}};
  CHECK_EQUAL(move_all(10, script), 10);
  CHECK(script.offsets == (std::vector<std::size_t>{0, 3, 3, 4, 4, 4}));
}

TEST(move_all_stops_at_the_end_of_the_file) {
  Script script{{3, 0}, {}};
  CHECK_EQUAL(move_all(10, script), 3);
}

TEST(move_all_reports_a_failure) {
  Script script{{3, -ENOSPC}, {}};
  CHECK_EQUAL(move_all(10, script), -1);
  CHECK_EQUAL(errno, ENOSPC);
}

TEST(move_all_moves_nothing_without_a_call) {
  Script script{{}, {}};
  CHECK_EQUAL(move_all(0, script), 0);
}

TEST(move_all_asks_for_at_most_a_gigabyte) {
  std::vector<std::size_t> asked;
  const std::size_t gigabyte = std::size_t{1} << 30;
  move_all(2 * gigabyte + 5, [&](std::size_t, std::size_t n) {
    asked.push_back(n);
    return static_cast<std::int64_t>(n);
  });
  CHECK(asked == (std::vector<std::size_t>{gigabyte, gigabyte, 5}));
}

TEST(retry_ends_with_the_first_answer_that_is_not_an_interruption) {
  int calls = 0;
  CHECK_EQUAL(retry([&] {
                errno = ++calls < 3 ? EINTR : EIO;
                return -1;
              }),
              -1);
  CHECK_EQUAL(calls, 3);
}
