// The vector types of plain C++, one lane wide, in the terms of kernels.inl.
#pragma once

#include "distance/tail.h"

namespace hopspan::distance::scalar {
namespace {

constexpr const char* kIsa = "scalar";
constexpr int kAccumulators = 8;
constexpr int kRowsAtOnce = 1;
constexpr int kQueryTile = 4;
constexpr int kRowVectors = 4;

inline void prefetch([[maybe_unused]] const void* p) {
#if defined(__GNUC__)
  __builtin_prefetch(p);
#endif
}

struct F32 {
  static constexpr std::size_t kLanes = 1;
  float v;
  static F32 zero() { return {0.0f}; }
};

inline F32 broadcast(float x) { return {x}; }
inline F32 add(F32 a, F32 b) { return {a.v + b.v}; }
inline F32 sub(F32 a, F32 b) { return {a.v - b.v}; }
inline F32 mul_add(F32 acc, F32 a, F32 b) { return {acc.v + a.v * b.v}; }
inline float reduce(F32 a) { return a.v; }
inline void store(float* p, F32 a) { *p = a.v; }

inline F32 from_bits(std::uint32_t bits) {
  F32 value;
  std::memcpy(&value.v, &bits, sizeof bits);
  return value;
}

// Scaling by 2^112 moves the exponent's bias from 15 to 127 and makes half-precision subnormals normal.
inline F32 from_f16(std::uint32_t half) {
  const F32 magnitude = from_bits((half & 0x7FFFu) << 13);
  const std::uint32_t infinity = (half & 0x7C00u) == 0x7C00u ? 0x7F800000u : 0;
  const F32 scaled = {magnitude.v * 0x1.0p+112f};
  std::uint32_t bits;
  std::memcpy(&bits, &scaled.v, sizeof bits);
  return from_bits(bits | infinity | (half & 0x8000u) << 16);
}

inline F32 load_f32(const Byte* p) { return {read<float>(p)}; }
inline F32 load_f16(const Byte* p) { return from_f16(read<std::uint16_t>(p)); }
inline F32 load_bf16(const Byte* p) { return from_bits(std::uint32_t{read<std::uint16_t>(p)} << 16); }

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
inline I32 add(I32 a, I32 b) { return {a.v + b.v}; }
inline std::uint32_t reduce(I32 a) { return a.v; }

inline I16 load_i8(const Byte* p) { return {read<std::int8_t>(p)}; }
inline I16 load_u8(const Byte* p) { return {*p}; }

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
inline Count add(Count a, Count b) { return {a.v + b.v}; }
inline std::uint32_t reduce(Count a) { return static_cast<std::uint32_t>(a.v); }

// One lane has no part.
inline F32 load_f32(const Byte* p, std::size_t) { return load_f32(p); }
inline F32 load_f16(const Byte* p, std::size_t) { return load_f16(p); }
inline F32 load_bf16(const Byte* p, std::size_t) { return load_bf16(p); }
inline I16 load_i8(const Byte* p, std::size_t) { return load_i8(p); }
inline I16 load_u8(const Byte* p, std::size_t) { return load_u8(p); }

}  // namespace
}  // namespace hopspan::distance::scalar
