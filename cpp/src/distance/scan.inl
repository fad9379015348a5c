// The scan of 4-bit codes, once for all instruction sets; included like kernels.inl, and bound by the same rules. Needs
// of vec_<isa>.h also
//   ScanSums: the sums of 32 entries in 16 bits; add_pair(sums, codes, tables); store(std::uint16_t*, sums);
//   load_u16(p), load_bytes(p): kLanes 16-bit or 8-bit numbers as F32; broadcast; below(a, b): a bit for each lane
//   where a < b.

namespace {

constexpr std::size_t kEntries = kScanEntries;

// A query's numbers in every lane.
struct ScanLanes {
  explicit ScanLanes(const ScanQuery& query)
      : scale(broadcast(query.scale)),
        limit(broadcast(query.limit)),
        offset(broadcast(query.offset)),
        term_low(broadcast(query.terms.low)),
        term_step(broadcast(query.terms.step)),
        factor_low(broadcast(query.factors.low)),
        factor_step(broadcast(query.factors.step)) {}

  F32 scale, limit, offset, term_low, term_step, factor_low, factor_step;
};

// Writes the scores of a block's entries and returns a bit for each of those below the limit.
template <ScanExtras kExtras>
HOPSPAN_ALWAYS_INLINE std::uint32_t score_block(const ScanSums& sums, const Byte* extras, const ScanLanes& query,
                                                float* scores) {
  alignas(64) std::uint16_t numbers[kEntries];
  store(numbers, sums);
  std::uint32_t near = 0;
  for (std::size_t i = 0; i < kEntries; i += F32::kLanes) {
    const F32 sum = load_u16(numbers + i);
    F32 score;
    if constexpr (kExtras == ScanExtras::kRoundedTermsAndFactors) {
      const F32 term = mul_add(query.term_low, query.term_step, load_bytes(extras + i));
      const F32 factor = mul_add(query.factor_low, query.factor_step, load_bytes(extras + kEntries + i));
      score = mul_add(term, mul_add(query.offset, sum, query.scale), factor);
    } else {
      score =
          mul_add(kExtras == ScanExtras::kTerms ? load_f32(extras + i * sizeof(float)) : F32::zero(), sum, query.scale);
    }
    store(scores + i, score);
    near |= below(score, query.limit) << i;
  }
  return near;
}

template <ScanExtras kExtras>
std::size_t scan_blocks(const ScanShape& shape, const ScanQuery& query, const Byte* block, std::size_t count,
                        std::uint32_t* positions, float* scores) {
  const ScanLanes lanes(query);
  std::size_t found = 0;
  for (std::size_t first = 0; first < count; first += kEntries, block += shape.block_bytes) {
    ScanSums sums = ScanSums::zero();
    for (std::size_t p = 0; p < shape.pairs; ++p) sums = add_pair(sums, block + p * 32, query.tables + p * 32);
    alignas(64) float block_scores[kEntries];
    std::uint32_t near = score_block<kExtras>(sums, block + shape.pairs * 32, lanes, block_scores);
    if (count - first < kEntries) near &= (std::uint32_t{1} << (count - first)) - 1;
    for (; near != 0; near &= near - 1) {
      const std::uint32_t i = lowest_bit(near);
      positions[found] = static_cast<std::uint32_t>(first) + i;
      scores[found++] = block_scores[i];
    }
  }
  return found;
}

std::size_t scan(const ScanShape& shape, const ScanQuery& query, const void* blocks, std::size_t count,
                 std::uint32_t* positions, float* scores) {
  const Byte* const first = static_cast<const Byte*>(blocks);
  switch (shape.extras) {
    case ScanExtras::kNone:
      return scan_blocks<ScanExtras::kNone>(shape, query, first, count, positions, scores);
    case ScanExtras::kTerms:
      return scan_blocks<ScanExtras::kTerms>(shape, query, first, count, positions, scores);
    default:
      return scan_blocks<ScanExtras::kRoundedTermsAndFactors>(shape, query, first, count, positions, scores);
  }
}

}  // namespace

constexpr ScanTable scan_table = {kIsa, scan};
