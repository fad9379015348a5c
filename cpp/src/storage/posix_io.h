// The retry loop around read and write: both may be interrupted or move fewer bytes than they were asked to.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace hopspan::storage {

// Calls move(done, n) until `size` bytes have moved or one call moves none, and returns how many did; -1, with errno,
// when a call fails. n stays below what every system moves in one call.
template <typename Move>
std::int64_t move_all(std::size_t size, Move&& move) {
  constexpr std::size_t kLargest = std::size_t{1} << 30;
  std::size_t done = 0;
  while (done < size) {
    const std::size_t n = size - done < kLargest ? size - done : kLargest;
    const std::int64_t moved = move(done, n);
    if (moved < 0 && errno == EINTR) continue;
    if (moved < 0) return -1;
    if (moved == 0) break;
    done += static_cast<std::size_t>(moved);
  }
  return static_cast<std::int64_t>(done);
}

// Calls `call` again as long as a signal interrupts it.
template <typename Call>
int retry(Call&& call) {
  int result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

}  // namespace hopspan::storage
