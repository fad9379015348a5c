// What the vector types share: loads of fewer bytes than a register holds that touch no other byte. Everything has
// internal linkage (kernels.inl).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(_MSC_VER) && !defined(__clang__)
#define HOPSPAN_ALWAYS_INLINE __forceinline
#else
#define HOPSPAN_ALWAYS_INLINE inline __attribute__((always_inline))
#endif

namespace hopspan::distance {
namespace {

using Byte = unsigned char;

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

}  // namespace
}  // namespace hopspan::distance
