// The steps of a beam search as registers of AVX-512 do them, eight keys or sixteen nodes at a time; included like
// kernels.inl, and bound by the same rules.

namespace {

constexpr std::size_t kMergedAtOnce = 64;
constexpr std::size_t kCounted = 64;  // keys among which counting finds a place sooner than halving

inline __mmask8 first8(std::size_t n) { return static_cast<__mmask8>(n >= 8 ? 0xFFu : (1u << n) - 1); }
inline std::size_t bits_of(std::uint32_t mask) { return static_cast<std::size_t>(_mm_popcnt_u32(mask)); }

std::size_t unseen(const std::uint32_t* row, std::size_t width, std::size_t size, SeenTable seen,
                   std::uint32_t* nodes) {
  const __m512i none = _mm512_set1_epi32(-1);
  const __m128i shift = _mm_cvtsi32_si128(static_cast<int>(seen.shift));
  std::size_t count = 0;
  __mmask16 used = 0xFFFF;
  for (std::size_t i = 0; i < width && used == 0xFFFF; i += 16) {
    const __m512i links = _mm512_mask_loadu_epi32(none, first16(width - i >= 16 ? 16 : width - i), row + i);
    used = _mm512_cmpneq_epi32_mask(links, none);
    const __m512i node = _mm512_and_si512(links, _mm512_set1_epi32(0x7FFFFFFF));
    if (_mm512_mask_cmpge_epu32_mask(used, node, _mm512_set1_epi32(static_cast<int>(size))) != 0) return kBadLink;
    const __m512i place =
        _mm512_srl_epi32(_mm512_mullo_epi32(node, _mm512_set1_epi32(static_cast<int>(kSeenFactor))), shift);
    const __m512i there = _mm512_mask_i32gather_epi32(none, used, place, seen.nodes, 4);
    const __mmask16 fresh = _mm512_mask_cmpneq_epi32_mask(used, there, node);
    _mm512_mask_i32scatter_epi32(seen.nodes, fresh, place, node, 4);
    _mm512_storeu_si512(nodes + count, _mm512_maskz_compress_epi32(fresh, node));
    count += bits_of(fresh);
  }
  return count;
}

// make_key, eight times.
inline __m512i make_keys(__m256 distances, __m256i nodes) {
  const __m256 sum = _mm256_add_ps(distances, _mm256_setzero_ps());
  const __m256i bits = _mm256_mask_blend_epi32(_mm256_cmp_ps_mask(sum, sum, _CMP_UNORD_Q), _mm256_castps_si256(sum),
                                               _mm256_set1_epi32(0x7F800000));
  const __m256i flips = _mm256_or_si256(_mm256_srai_epi32(bits, 31), _mm256_set1_epi32(INT32_MIN));
  const __m512i high = _mm512_slli_epi64(_mm512_cvtepu32_epi64(_mm256_xor_si256(bits, flips)), 32);
  return _mm512_or_si512(high, _mm512_slli_epi64(_mm512_cvtepu32_epi64(nodes), 1));
}

std::size_t keys_below(const float* distances, const std::uint32_t* nodes, std::size_t count, std::uint64_t limit,
                       std::uint64_t* keys) {
  const __m512i most = _mm512_set1_epi64(static_cast<long long>(limit));
  std::size_t found = 0;
  for (std::size_t i = 0; i < count; i += 8) {
    const __mmask8 in = first8(count - i);
    const __m512i made = make_keys(_mm256_maskz_loadu_ps(in, distances + i), _mm256_maskz_loadu_epi32(in, nodes + i));
    const __mmask8 near = _mm512_mask_cmplt_epu64_mask(in, made, most);
    _mm512_storeu_si512(keys + found, _mm512_maskz_compress_epi64(near, made));
    found += bits_of(near);
  }
  return found;
}

inline std::size_t count_below(const std::uint64_t* keys, std::size_t size, std::uint64_t key) {
  const __m512i limit = _mm512_set1_epi64(static_cast<long long>(key));
  std::size_t count = 0;
  for (std::size_t i = 0; i < size; i += 8) {
    const __mmask8 in = first8(size - i);
    count += bits_of(_mm512_mask_cmplt_epu64_mask(in, _mm512_maskz_loadu_epi64(in, keys + i), limit));
  }
  return count;
}

// How many of the keys, which ascend, are below `key`.
inline std::size_t place_of(const std::uint64_t* keys, std::size_t size, std::uint64_t key) {
  std::size_t base = 0;
  while (size > kCounted) {
    const std::size_t half = size / 2;
    base += half & (std::size_t{0} - static_cast<std::size_t>(keys[base + half - 1] < key));
    size -= half;
  }
  return base + count_below(keys + base, size, key);
}

// Makes room among the keys for `count` fresh ones, which ascend, at their places; from the last key to the first.
inline void weave(std::uint64_t* keys, std::size_t size, const std::uint64_t* fresh, const std::size_t* places,
                  std::size_t count) {
  std::size_t end = size + count, old = size, left = count;
  while (left != 0) {
    const std::size_t first = (end - 1) / 8 * 8;
    std::uint32_t taken = 0;
    std::size_t here = 0;
    for (; here < left && places[left - 1 - here] >= first; ++here) taken |= 1u << (places[left - 1 - here] - first);
    left -= here;
    old -= end - first - here;
    const __m512i moved = _mm512_maskz_expand_epi64(static_cast<__mmask8>(~taken), _mm512_loadu_si512(keys + old));
    _mm512_storeu_si512(
        keys + first, _mm512_mask_expand_epi64(moved, static_cast<__mmask8>(taken), _mm512_loadu_si512(fresh + left)));
    end = first;
  }
}

inline Merged merge_some(std::uint64_t* keys, std::size_t size, const std::uint64_t* fresh, std::size_t count) {
  alignas(64) std::uint64_t ordered[kMergedAtOnce + 8];
  std::size_t places[kMergedAtOnce];
  for (std::size_t i = 0; i < count; i += 8) _mm512_store_si512(ordered + i, _mm512_setzero_si512());
  for (std::size_t i = 0; i < count; ++i) ordered[count_below(fresh, count, fresh[i])] = fresh[i];
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t key = ordered[i];  // or 0 behind one that came twice
    const std::size_t place = place_of(keys, size, key);
    const bool known = key == 0 || (place < size && same_node(keys[place], key));
    ordered[kept] = key;
    places[kept] = place + kept;
    kept += known ? 0 : 1;
  }
  weave(keys, size, ordered, places, kept);
  return {size + kept, kept == 0 ? size : places[0]};
}

Merged merge(std::uint64_t* keys, std::size_t size, std::uint64_t* fresh, std::size_t count) {
  Merged merged{size, size};
  for (std::size_t i = 0; i < count; i += kMergedAtOnce) {
    const Merged next = merge_some(keys, merged.size, fresh + i, count - i < kMergedAtOnce ? count - i : kMergedAtOnce);
    merged = {next.size, next.first < merged.first ? next.first : merged.first};
  }
  return merged;
}

}  // namespace

constexpr BeamTable beam_table = {kIsa, unseen, keys_below, merge};
