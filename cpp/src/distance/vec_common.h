// What the vector types share: unrolling, and loads of fewer bytes than a register holds that touch no other byte.
// Everything has internal linkage (kernels.inl).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/inline.h"

#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
#endif

namespace hopspan::distance {
namespace {

using Byte = unsigned char;

// Calls f(0), ..., f(n - 1), n <= kMost, each with a constant, so that an array that f indexes can live in registers.
template <std::size_t kMost, std::size_t kFirst = 0, typename F>
HOPSPAN_ALWAYS_INLINE void unrolled(std::size_t n, const F& f) {
  if constexpr (kFirst < kMost) {
    if (kFirst == n) return;
    f(kFirst);
    unrolled<kMost, kFirst + 1>(n, f);
  }
}

template <typename T>
inline T read(const Byte* p) {
  T value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

struct Words {
  std::uint64_t low, high;
};

// The n <= 16 bytes at p, little endian, followed by zeros.
inline Words load_tail(const Byte* p, std::size_t n) {
  if (n > 8) return {read<std::uint64_t>(p), read<std::uint64_t>(p + n - 8) >> (8 * (16 - n))};
  if (n == 8) return {read<std::uint64_t>(p), 0};
  if (n >= 4) {
    const std::uint64_t last = read<std::uint32_t>(p + n - 4);
    return {read<std::uint32_t>(p) | last << (8 * (n - 4)), 0};
  }
  if (n == 0) return {0, 0};
  const std::uint64_t middle = p[n / 2], last = p[n - 1];
  return {p[0] | middle << (8 * (n / 2)) | last << (8 * (n - 1)), 0};
}

// The number of the lowest bit that is set; there is one.
inline std::uint32_t lowest_bit(std::uint32_t bits) {
#if defined(_MSC_VER) && !defined(__clang__)
  unsigned long number;
  _BitScanForward(&number, bits);
  return number;
#else
  return static_cast<std::uint32_t>(__builtin_ctz(bits));
#endif
}

}  // namespace
}  // namespace hopspan::distance
