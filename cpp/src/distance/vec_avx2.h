// The vector types of AVX2 with FMA and F16C in the terms of kernels.inl.
#pragma once

#include <immintrin.h>

#include "distance/vec_common.h"

namespace hopspan::distance::avx2 {
namespace {

constexpr const char* kIsa = "avx2";
constexpr std::size_t kRowsAtOnce = 16;
constexpr std::size_t kQueryTile = 6;
constexpr std::size_t kRowVectors = 2;

inline void prefetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0); }

struct F32 {
  static constexpr std::size_t kLanes = 8;
  __m256 v;
  static F32 zero() { return {_mm256_setzero_ps()}; }
};

inline F32 broadcast(float x) { return {_mm256_set1_ps(x)}; }
inline F32 sub(F32 a, F32 b) { return {_mm256_sub_ps(a.v, b.v)}; }
inline F32 mul_add(F32 acc, F32 a, F32 b) { return {_mm256_fmadd_ps(a.v, b.v, acc.v)}; }
inline float reduce(F32 a) {
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
inline void store(float* p, F32 a) { _mm256_storeu_ps(p, a.v); }

inline __m128i load16(const Byte* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
inline __m128i load16(const Byte* p, std::size_t n) {
  const Words words = load_tail(p, n);
  return _mm_set_epi64x(static_cast<long long>(words.high), static_cast<long long>(words.low));
}

inline F32 from_f16(__m128i halves) { return {_mm256_cvtph_ps(halves)}; }
inline F32 from_bf16(__m128i halves) {
  return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16))};
}

inline F32 load_f32(const Byte* p) { return {_mm256_loadu_ps(reinterpret_cast<const float*>(p))}; }
inline F32 load_f32(const Byte* p, std::size_t n) {
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), lanes);
  return {_mm256_maskload_ps(reinterpret_cast<const float*>(p), mask)};
}
inline F32 load_f16(const Byte* p) { return from_f16(load16(p)); }
inline F32 load_f16(const Byte* p, std::size_t n) { return from_f16(load16(p, 2 * n)); }
inline F32 load_bf16(const Byte* p) { return from_bf16(load16(p)); }
inline F32 load_bf16(const Byte* p, std::size_t n) { return from_bf16(load16(p, 2 * n)); }
inline F32 from_u8(__m128i bytes) { return {_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes))}; }
inline F32 load_u8_f32(const Byte* p) { return from_u8(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))); }
inline F32 load_u8_f32(const Byte* p, std::size_t n) { return from_u8(load16(p, n)); }

struct I16 {
  static constexpr std::size_t kLanes = 16;
  __m256i v;
};

struct I32 {
  __m256i v;
  static I32 zero() { return {_mm256_setzero_si256()}; }
};

inline I16 sub(I16 a, I16 b) { return {_mm256_sub_epi16(a.v, b.v)}; }
inline I32 mul_add(I32 acc, I16 a, I16 b) { return {_mm256_add_epi32(acc.v, _mm256_madd_epi16(a.v, b.v))}; }
inline std::uint32_t reduce(I32 a) {
  const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(a.v), _mm256_extracti128_si256(a.v, 1));
  const __m128i two = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
  return static_cast<std::uint32_t>(_mm_cvtsi128_si32(two)) + static_cast<std::uint32_t>(_mm_extract_epi32(two, 1));
}

inline I16 load_i8(const Byte* p) { return {_mm256_cvtepi8_epi16(load16(p))}; }
inline I16 load_i8(const Byte* p, std::size_t n) { return {_mm256_cvtepi8_epi16(load16(p, n))}; }
inline I16 load_u8(const Byte* p) { return {_mm256_cvtepu8_epi16(load16(p))}; }
inline I16 load_u8(const Byte* p, std::size_t n) { return {_mm256_cvtepu8_epi16(load16(p, n))}; }

struct Bits {
  static constexpr std::size_t kLanes = 32;
  __m256i v;
};

struct Count {
  __m256i v;
  static Count zero() { return {_mm256_setzero_si256()}; }
};

inline Bits load_bits(const Byte* p) { return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))}; }
inline Bits load_bits(const Byte* p, std::size_t n) {
  if (n <= 16) return {_mm256_zextsi128_si256(load16(p, n))};
  return {_mm256_inserti128_si256(_mm256_castsi128_si256(load16(p)), load16(p + 16, n - 16), 1)};
}
inline __m256i popcount_bytes(__m256i x) {
  const __m256i counts =
      _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i nibble = _mm256_set1_epi8(15);
  return _mm256_add_epi8(_mm256_shuffle_epi8(counts, _mm256_and_si256(x, nibble)),
                         _mm256_shuffle_epi8(counts, _mm256_and_si256(_mm256_srli_epi16(x, 4), nibble)));
}
inline Count add_differing(Count acc, Bits a, Bits b) {
  const __m256i counts = popcount_bytes(_mm256_xor_si256(a.v, b.v));
  return {_mm256_add_epi64(acc.v, _mm256_sad_epu8(counts, _mm256_setzero_si256()))};
}
inline std::uint32_t reduce(Count a) {
  const __m128i two = _mm_add_epi64(_mm256_castsi256_si128(a.v), _mm256_extracti128_si256(a.v, 1));
  return static_cast<std::uint32_t>(_mm_cvtsi128_si64(two) + _mm_extract_epi64(two, 1));
}

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
  return {_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))))};
}
inline F32 load_u16(const std::uint16_t* p) {
  return {_mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(load16(reinterpret_cast<const Byte*>(p))))};
}
inline std::uint32_t below(F32 a, F32 b) {
  return static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ)));
}

inline __m256i low_nibbles(Bits x) { return _mm256_and_si256(x.v, _mm256_set1_epi8(15)); }
inline __m256i high_nibbles(Bits x) { return _mm256_and_si256(_mm256_srli_epi16(x.v, 4), _mm256_set1_epi8(15)); }
// Two products of a code and an int8 come to 3810 at most.
inline I32 add_pairs(I32 acc, __m256i low, __m256i by_low, __m256i high, __m256i by_high) {
  const __m256i pairs = _mm256_add_epi16(_mm256_maddubs_epi16(low, by_low), _mm256_maddubs_epi16(high, by_high));
  return {_mm256_add_epi32(acc.v, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))};
}
inline I32 add_nibble_squares(I32 acc, Bits codes, Bits even, Bits odd) {
  const __m256i low = low_nibbles(codes), high = high_nibbles(codes);
  return add_pairs(acc, low, _mm256_sub_epi8(_mm256_add_epi8(low, low), even.v), high,
                   _mm256_sub_epi8(_mm256_add_epi8(high, high), odd.v));
}
inline I32 add_nibble_products(I32 acc, Bits codes, Bits even, Bits odd) {
  return add_pairs(acc, low_nibbles(codes), even.v, high_nibbles(codes), odd.v);
}

}  // namespace
}  // namespace hopspan::distance::avx2
