// The vector types of AVX-512 (F, BW, DQ, VL, VNNI, VPOPCNTDQ) in the terms of kernels.inl.
#pragma once

#include <immintrin.h>

#include "distance/vec_common.h"

namespace hopspan::distance::avx512 {
namespace {

constexpr const char* kIsa = "avx512";
constexpr std::size_t kRowsAtOnce = 16;
constexpr std::size_t kQueryTile = 6;
constexpr std::size_t kRowVectors = 4;

inline void prefetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0); }

struct F32 {
  static constexpr std::size_t kLanes = 16;
  __m512 v;
  static F32 zero() { return {_mm512_setzero_ps()}; }
};

inline F32 broadcast(float x) { return {_mm512_set1_ps(x)}; }
inline F32 sub(F32 a, F32 b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline F32 mul_add(F32 acc, F32 a, F32 b) { return {_mm512_fmadd_ps(a.v, b.v, acc.v)}; }
inline float reduce(F32 a) { return _mm512_reduce_add_ps(a.v); }
inline void store(float* p, F32 a) { _mm512_storeu_ps(p, a.v); }

inline __mmask16 first16(std::size_t n) { return static_cast<__mmask16>((1u << n) - 1); }
inline __mmask32 first32(std::size_t n) { return static_cast<__mmask32>((std::uint64_t{1} << n) - 1); }

inline F32 from_f16(__m256i halves) { return {_mm512_cvtph_ps(halves)}; }
inline F32 from_bf16(__m256i halves) {
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16))};
}

inline F32 load_f32(const Byte* p) { return {_mm512_loadu_ps(p)}; }
inline F32 load_f32(const Byte* p, std::size_t n) { return {_mm512_maskz_loadu_ps(first16(n), p)}; }
inline F32 load_f16(const Byte* p) { return from_f16(_mm256_loadu_epi16(p)); }
inline F32 load_f16(const Byte* p, std::size_t n) { return from_f16(_mm256_maskz_loadu_epi16(first16(n), p)); }
inline F32 load_bf16(const Byte* p) { return from_bf16(_mm256_loadu_epi16(p)); }
inline F32 load_bf16(const Byte* p, std::size_t n) { return from_bf16(_mm256_maskz_loadu_epi16(first16(n), p)); }
inline F32 from_u8(__m128i bytes) { return {_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes))}; }
inline F32 load_u8_f32(const Byte* p) { return from_u8(_mm_loadu_epi8(p)); }
inline F32 load_u8_f32(const Byte* p, std::size_t n) { return from_u8(_mm_maskz_loadu_epi8(first16(n), p)); }

struct I16 {
  static constexpr std::size_t kLanes = 32;
  __m512i v;
};

struct I32 {
  __m512i v;
  static I32 zero() { return {_mm512_setzero_si512()}; }
};

inline I16 sub(I16 a, I16 b) { return {_mm512_sub_epi16(a.v, b.v)}; }
inline I32 mul_add(I32 acc, I16 a, I16 b) { return {_mm512_dpwssd_epi32(acc.v, a.v, b.v)}; }
// Sums modulo 2^32, which _mm512_reduce_add_epi32 does not promise.
inline std::uint32_t reduce(I32 a) {
  const __m256i eight = _mm256_add_epi32(_mm512_castsi512_si256(a.v), _mm512_extracti64x4_epi64(a.v, 1));
  const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
  const __m128i two = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
  return static_cast<std::uint32_t>(_mm_cvtsi128_si32(two)) + static_cast<std::uint32_t>(_mm_extract_epi32(two, 1));
}

inline I16 load_i8(const Byte* p) { return {_mm512_cvtepi8_epi16(_mm256_loadu_epi8(p))}; }
inline I16 load_i8(const Byte* p, std::size_t n) {
  return {_mm512_cvtepi8_epi16(_mm256_maskz_loadu_epi8(first32(n), p))};
}
inline I16 load_u8(const Byte* p) { return {_mm512_cvtepu8_epi16(_mm256_loadu_epi8(p))}; }
inline I16 load_u8(const Byte* p, std::size_t n) {
  return {_mm512_cvtepu8_epi16(_mm256_maskz_loadu_epi8(first32(n), p))};
}

struct Bits {
  static constexpr std::size_t kLanes = 64;
  __m512i v;
};

struct Count {
  __m512i v;
  static Count zero() { return {_mm512_setzero_si512()}; }
};

inline Bits load_bits(const Byte* p) { return {_mm512_loadu_si512(p)}; }
inline Bits load_bits(const Byte* p, std::size_t n) {
  const __mmask64 mask = n == 0 ? 0 : ~std::uint64_t{0} >> (64 - n);
  return {_mm512_maskz_loadu_epi8(mask, p)};
}
inline Count add_differing(Count acc, Bits a, Bits b) {
  return {_mm512_add_epi64(acc.v, _mm512_popcnt_epi64(_mm512_xor_si512(a.v, b.v)))};
}
inline std::uint32_t reduce(Count a) { return static_cast<std::uint32_t>(_mm512_reduce_add_epi64(a.v)); }

// The sums of the even and of the odd entries, of 0 to 15 (low) and of 16 to 31 (high), the even ones with 256 times
// the odd ones on top; each half of a register has one code of a pair.
struct ScanSums {
  __m256i low, low_odd, high, high_odd;
  static ScanSums zero() {
    const __m256i none = _mm256_setzero_si256();
    return {none, none, none, none};
  }
};

inline ScanSums add_pair(ScanSums sums, const Byte* codes, const Byte* tables) {
  const __m256i nibble = _mm256_set1_epi8(15);
  const __m256i both = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes));
  const __m256i values = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(tables));
  const __m256i low = _mm256_shuffle_epi8(values, _mm256_and_si256(both, nibble));
  const __m256i high = _mm256_shuffle_epi8(values, _mm256_and_si256(_mm256_srli_epi16(both, 4), nibble));
  return {_mm256_add_epi16(sums.low, low), _mm256_add_epi16(sums.low_odd, _mm256_srli_epi16(low, 8)),
          _mm256_add_epi16(sums.high, high), _mm256_add_epi16(sums.high_odd, _mm256_srli_epi16(high, 8))};
}
inline void store(std::uint16_t* out, __m256i sums, __m256i odd) {
  const __m256i even = _mm256_sub_epi16(sums, _mm256_slli_epi16(odd, 8));
  const __m256i first = _mm256_unpacklo_epi16(even, odd), second = _mm256_unpackhi_epi16(even, odd);
  const __m256i low = _mm256_permute2x128_si256(first, second, 0x20);
  const __m256i high = _mm256_permute2x128_si256(first, second, 0x31);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm256_add_epi16(low, high));
}
inline void store(std::uint16_t* out, const ScanSums& sums) {
  store(out, sums.low, sums.low_odd);
  store(out + 16, sums.high, sums.high_odd);
}
inline F32 load_bytes(const Byte* p) {
  return {_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))))};
}
inline F32 load_u16(const std::uint16_t* p) {
  return {_mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(_mm256_loadu_epi16(p)))};
}
inline std::uint32_t below(F32 a, F32 b) { return _mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ); }

inline __m512i low_nibbles(Bits x) { return _mm512_and_si512(x.v, _mm512_set1_epi8(15)); }
inline __m512i high_nibbles(Bits x) { return _mm512_and_si512(_mm512_srli_epi16(x.v, 4), _mm512_set1_epi8(15)); }
inline I32 add_nibble_squares(I32 acc, Bits codes, Bits even, Bits odd) {
  const __m512i low = low_nibbles(codes), high = high_nibbles(codes);
  const __m512i sum = _mm512_dpbusd_epi32(acc.v, low, _mm512_sub_epi8(_mm512_add_epi8(low, low), even.v));
  return {_mm512_dpbusd_epi32(sum, high, _mm512_sub_epi8(_mm512_add_epi8(high, high), odd.v))};
}
inline I32 add_nibble_products(I32 acc, Bits codes, Bits even, Bits odd) {
  return {_mm512_dpbusd_epi32(_mm512_dpbusd_epi32(acc.v, low_nibbles(codes), even.v), high_nibbles(codes), odd.v)};
}

}  // namespace
}  // namespace hopspan::distance::avx512
