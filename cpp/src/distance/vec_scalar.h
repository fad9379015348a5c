// The vector types of plain C++, in the terms of kernels.inl.
#pragma once

#include "distance/vec_common.h"

namespace hopspan::distance::scalar {
namespace {

constexpr const char* kIsa = "scalar";
constexpr std::size_t kRowsAtOnce = 4;
constexpr std::size_t kQueryTile = 4;
constexpr std::size_t kRowVectors = 1;

inline void prefetch([[maybe_unused]] const void* p) {
#if defined(__GNUC__)
  __builtin_prefetch(p);
#endif
}

struct F32 {
  static constexpr std::size_t kLanes = 4;
  float v[kLanes];
  static F32 zero() { return {}; }
};

// One lane at a time, which compilers turn into whatever vectors the baseline of their target has.
template <typename F>
inline F32 each_lane(F f) {
  return {{f(0), f(1), f(2), f(3)}};
}

inline F32 broadcast(float x) { return {{x, x, x, x}}; }
inline F32 sub(F32 a, F32 b) {
  return each_lane([&](std::size_t i) { return a.v[i] - b.v[i]; });
}
inline F32 mul_add(F32 acc, F32 a, F32 b) {
  return each_lane([&](std::size_t i) { return acc.v[i] + a.v[i] * b.v[i]; });
}
inline float reduce(F32 a) { return (a.v[0] + a.v[1]) + (a.v[2] + a.v[3]); }
inline void store(float* p, F32 a) { std::memcpy(p, a.v, sizeof a.v); }

inline float from_bits(std::uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof bits);
  return value;
}

// Scaling by 2^112 moves the exponent's bias from 15 to 127 and makes subnormals normal.
inline float from_f16(std::uint16_t half) {
  const std::uint32_t magnitude = half & 0x7FFFu;
  const float value = from_bits(magnitude << 13) * 0x1.0p+112f;
  return half == magnitude ? value : -value;
}
inline float from_bf16(std::uint16_t half) { return from_bits(std::uint32_t{half} << 16); }

// The n <= kLanes elements at p, widened, and zeros.
template <typename T, typename F>
inline F32 load_each(const Byte* p, std::size_t n, F widen) {
  return each_lane([&](std::size_t i) { return i < n ? widen(read<T>(p + i * sizeof(T))) : 0.0f; });
}

inline F32 load_f32(const Byte* p, std::size_t n = 4) {
  return load_each<float>(p, n, [](float x) { return x; });
}
inline F32 load_f16(const Byte* p, std::size_t n = 4) { return load_each<std::uint16_t>(p, n, from_f16); }
inline F32 load_bf16(const Byte* p, std::size_t n = 4) { return load_each<std::uint16_t>(p, n, from_bf16); }
inline F32 load_u8_f32(const Byte* p, std::size_t n = 4) {
  return load_each<std::uint8_t>(p, n, [](std::uint8_t x) { return static_cast<float>(x); });
}

struct I16 {
  static constexpr std::size_t kLanes = 1;
  std::int32_t v;
};

struct I32 {
  std::uint32_t v;
  static I32 zero() { return {0}; }
};

inline I16 sub(I16 a, I16 b) { return {a.v - b.v}; }
inline I32 mul_add(I32 acc, I16 a, I16 b) { return {acc.v + static_cast<std::uint32_t>(a.v * b.v)}; }
inline std::uint32_t reduce(I32 a) { return a.v; }

inline I16 load_i8(const Byte* p) { return {read<std::int8_t>(p)}; }
inline I16 load_u8(const Byte* p) { return {*p}; }

// The only part of one lane is none.
inline I16 load_i8(const Byte*, std::size_t) { return {0}; }
inline I16 load_u8(const Byte*, std::size_t) { return {0}; }

struct Bits {
  static constexpr std::size_t kLanes = 8;
  std::uint64_t v;
};

struct Count {
  std::uint64_t v;
  static Count zero() { return {0}; }
};

inline Bits load_bits(const Byte* p) { return {read<std::uint64_t>(p)}; }
inline Bits load_bits(const Byte* p, std::size_t n) { return {load_tail(p, n).low}; }
inline Count add_differing(Count acc, Bits a, Bits b) {
  std::uint64_t x = a.v ^ b.v;
  x -= (x >> 1) & 0x5555555555555555u;
  x = (x & 0x3333333333333333u) + ((x >> 2) & 0x3333333333333333u);
  x = (x + (x >> 4)) & 0x0F0F0F0F0F0F0F0Fu;
  return {acc.v + (x * 0x0101010101010101u >> 56)};
}
inline std::uint32_t reduce(Count a) { return static_cast<std::uint32_t>(a.v); }

struct ScanSums {
  std::uint16_t v[32];
  static ScanSums zero() { return {}; }
};

inline ScanSums add_pair(ScanSums sums, const Byte* codes, const Byte* tables) {
  for (std::size_t i = 0; i < 16; ++i) {
    const unsigned low = tables[codes[i] & 15u] + tables[16 + (codes[16 + i] & 15u)];
    const unsigned high = tables[codes[i] >> 4] + tables[16 + (codes[16 + i] >> 4)];
    sums.v[i] = static_cast<std::uint16_t>(sums.v[i] + low);
    sums.v[16 + i] = static_cast<std::uint16_t>(sums.v[16 + i] + high);
  }
  return sums;
}
inline void store(std::uint16_t* out, const ScanSums& sums) { std::memcpy(out, sums.v, sizeof sums.v); }
inline F32 load_bytes(const Byte* p) {
  return each_lane([&](std::size_t i) { return static_cast<float>(p[i]); });
}
inline F32 load_u16(const std::uint16_t* p) {
  return each_lane([&](std::size_t i) { return static_cast<float>(p[i]); });
}
inline std::uint32_t below(F32 a, F32 b) {
  std::uint32_t bits = 0;
  for (std::uint32_t i = 0; i < F32::kLanes; ++i) bits |= static_cast<std::uint32_t>(a.v[i] < b.v[i]) << i;
  return bits;
}

inline int signed_byte(std::uint64_t bytes, unsigned b) { return static_cast<std::int8_t>(bytes >> (8 * b) & 255u); }
inline I32 add_nibble_squares(I32 acc, Bits codes, Bits even, Bits odd) {
  for (unsigned b = 0; b < Bits::kLanes; ++b) {
    const int low = static_cast<int>(codes.v >> (8 * b) & 15u), high = static_cast<int>(codes.v >> (8 * b + 4) & 15u);
    acc.v += static_cast<std::uint32_t>(low * (2 * low - signed_byte(even.v, b)) +
                                        high * (2 * high - signed_byte(odd.v, b)));
  }
  return acc;
}
inline I32 add_nibble_products(I32 acc, Bits codes, Bits even, Bits odd) {
  for (unsigned b = 0; b < Bits::kLanes; ++b) {
    const int low = static_cast<int>(codes.v >> (8 * b) & 15u), high = static_cast<int>(codes.v >> (8 * b + 4) & 15u);
    acc.v += static_cast<std::uint32_t>(low * signed_byte(even.v, b) + high * signed_byte(odd.v, b));
  }
  return acc;
}

}  // namespace
}  // namespace hopspan::distance::scalar
