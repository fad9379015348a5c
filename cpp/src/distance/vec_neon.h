// The vector types of AArch64 Advanced SIMD (baseline ARMv8.0) in the terms of kernels.inl.
#pragma once

#include <arm_neon.h>

#include "distance/vec_common.h"

namespace hopspan::distance::neon {
namespace {

constexpr const char* kIsa = "neon";
constexpr std::size_t kRowsAtOnce = 16;
constexpr std::size_t kQueryTile = 8;
constexpr std::size_t kRowVectors = 3;

inline void prefetch(const void* p) {
#if defined(__GNUC__)
  __builtin_prefetch(p);
#else
  __prefetch(p);
#endif
}

struct F32 {
  static constexpr std::size_t kLanes = 4;
  float32x4_t v;
  static F32 zero() { return {vdupq_n_f32(0.0f)}; }
};

inline F32 broadcast(float x) { return {vdupq_n_f32(x)}; }
inline F32 sub(F32 a, F32 b) { return {vsubq_f32(a.v, b.v)}; }
inline F32 mul_add(F32 acc, F32 a, F32 b) { return {vfmaq_f32(acc.v, a.v, b.v)}; }
inline float reduce(F32 a) { return vaddvq_f32(a.v); }
inline void store(float* p, F32 a) { vst1q_f32(p, a.v); }

inline uint8x8_t load8(const Byte* p) { return vld1_u8(p); }
inline uint8x8_t load8(const Byte* p, std::size_t n) { return vcreate_u8(load_tail(p, n).low); }
inline uint8x16_t load16(const Byte* p) { return vld1q_u8(p); }
inline uint8x16_t load16(const Byte* p, std::size_t n) {
  const Words words = load_tail(p, n);
  return vcombine_u8(vcreate_u8(words.low), vcreate_u8(words.high));
}

inline F32 from_f16(uint8x8_t halves) { return {vcvt_f32_f16(vreinterpret_f16_u8(halves))}; }
inline F32 from_bf16(uint8x8_t halves) { return {vreinterpretq_f32_u32(vshll_n_u16(vreinterpret_u16_u8(halves), 16))}; }

inline F32 load_f32(const Byte* p) { return {vreinterpretq_f32_u8(load16(p))}; }
inline F32 load_f32(const Byte* p, std::size_t n) { return {vreinterpretq_f32_u8(load16(p, 4 * n))}; }
inline F32 load_f16(const Byte* p) { return from_f16(load8(p)); }
inline F32 load_f16(const Byte* p, std::size_t n) { return from_f16(load8(p, 2 * n)); }
inline F32 load_bf16(const Byte* p) { return from_bf16(load8(p)); }
inline F32 load_bf16(const Byte* p, std::size_t n) { return from_bf16(load8(p, 2 * n)); }
inline F32 load_u8_f32(const Byte* p, std::size_t n = 4) {
  return {vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(load8(p, n)))))};
}

struct I16 {
  static constexpr std::size_t kLanes = 8;
  int16x8_t v;
};

struct I32 {
  int32x4_t low, high;
  static I32 zero() { return {vdupq_n_s32(0), vdupq_n_s32(0)}; }
};

inline I16 sub(I16 a, I16 b) { return {vsubq_s16(a.v, b.v)}; }
inline I32 mul_add(I32 acc, I16 a, I16 b) {
  return {vmlal_s16(acc.low, vget_low_s16(a.v), vget_low_s16(b.v)), vmlal_high_s16(acc.high, a.v, b.v)};
}
inline std::uint32_t reduce(I32 a) { return static_cast<std::uint32_t>(vaddvq_s32(vaddq_s32(a.low, a.high))); }

inline I16 widen_i8(uint8x8_t bytes) { return {vmovl_s8(vreinterpret_s8_u8(bytes))}; }
inline I16 widen_u8(uint8x8_t bytes) { return {vreinterpretq_s16_u16(vmovl_u8(bytes))}; }
inline I16 load_i8(const Byte* p) { return widen_i8(load8(p)); }
inline I16 load_i8(const Byte* p, std::size_t n) { return widen_i8(load8(p, n)); }
inline I16 load_u8(const Byte* p) { return widen_u8(load8(p)); }
inline I16 load_u8(const Byte* p, std::size_t n) { return widen_u8(load8(p, n)); }

struct Bits {
  static constexpr std::size_t kLanes = 16;
  uint8x16_t v;
};

struct Count {
  uint32x4_t v;
  static Count zero() { return {vdupq_n_u32(0)}; }
};

inline Bits load_bits(const Byte* p) { return {load16(p)}; }
inline Bits load_bits(const Byte* p, std::size_t n) { return {load16(p, n)}; }
inline Count add_differing(Count acc, Bits a, Bits b) {
  return {vpadalq_u16(acc.v, vpaddlq_u8(vcntq_u8(veorq_u8(a.v, b.v))))};
}
inline std::uint32_t reduce(Count a) { return vaddvq_u32(a.v); }

struct ScanSums {
  uint16x8_t v[4];
  static ScanSums zero() {
    const uint16x8_t none = vdupq_n_u16(0);
    return {{none, none, none, none}};
  }
};

inline ScanSums add_pair(ScanSums sums, const Byte* codes, const Byte* tables) {
  const uint8x16_t first = vld1q_u8(codes), second = vld1q_u8(codes + 16);
  const uint8x16_t values = vld1q_u8(tables), second_values = vld1q_u8(tables + 16);
  const uint8x16_t nibble = vdupq_n_u8(15);
  const uint8x16_t low = vqtbl1q_u8(values, vandq_u8(first, nibble));
  const uint8x16_t second_low = vqtbl1q_u8(second_values, vandq_u8(second, nibble));
  const uint8x16_t high = vqtbl1q_u8(values, vshrq_n_u8(first, 4));
  const uint8x16_t second_high = vqtbl1q_u8(second_values, vshrq_n_u8(second, 4));
  return {{vaddq_u16(sums.v[0], vaddl_u8(vget_low_u8(low), vget_low_u8(second_low))),
           vaddq_u16(sums.v[1], vaddl_high_u8(low, second_low)),
           vaddq_u16(sums.v[2], vaddl_u8(vget_low_u8(high), vget_low_u8(second_high))),
           vaddq_u16(sums.v[3], vaddl_high_u8(high, second_high))}};
}
inline void store(std::uint16_t* out, const ScanSums& sums) {
  for (std::size_t i = 0; i < 4; ++i) vst1q_u16(out + 8 * i, sums.v[i]);
}
inline F32 load_bytes(const Byte* p) {
  std::uint32_t word;
  std::memcpy(&word, p, sizeof word);
  return {vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(word)))))};
}
inline F32 load_u16(const std::uint16_t* p) { return {vcvtq_f32_u32(vmovl_u16(vld1_u16(p)))}; }
inline std::uint32_t below(F32 a, F32 b) {
  const std::uint32_t bits[4] = {1, 2, 4, 8};
  return vaddvq_u32(vandq_u32(vcltq_f32(a.v, b.v), vld1q_u32(bits)));
}

inline int8x16_t low_nibbles(Bits x) { return vreinterpretq_s8_u8(vandq_u8(x.v, vdupq_n_u8(15))); }
inline int8x16_t high_nibbles(Bits x) { return vreinterpretq_s8_u8(vshrq_n_u8(x.v, 4)); }
// Two products of a code and an int8 come to 3810 at most.
inline I32 add_pairs(I32 acc, int8x16_t low, int8x16_t by_low, int8x16_t high, int8x16_t by_high) {
  const int16x8_t first =
      vmlal_s8(vmull_s8(vget_low_s8(low), vget_low_s8(by_low)), vget_low_s8(high), vget_low_s8(by_high));
  const int16x8_t second = vmlal_high_s8(vmull_high_s8(low, by_low), high, by_high);
  return {vpadalq_s16(acc.low, first), vpadalq_s16(acc.high, second)};
}
inline int8x16_t twice_less(int8x16_t codes, Bits u) {
  return vsubq_s8(vaddq_s8(codes, codes), vreinterpretq_s8_u8(u.v));
}
inline I32 add_nibble_squares(I32 acc, Bits codes, Bits even, Bits odd) {
  const int8x16_t low = low_nibbles(codes), high = high_nibbles(codes);
  return add_pairs(acc, low, twice_less(low, even), high, twice_less(high, odd));
}
inline I32 add_nibble_products(I32 acc, Bits codes, Bits even, Bits odd) {
  return add_pairs(acc, low_nibbles(codes), vreinterpretq_s8_u8(even.v), high_nibbles(codes),
                   vreinterpretq_s8_u8(odd.v));
}

}  // namespace
}  // namespace hopspan::distance::neon
