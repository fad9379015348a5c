// The scan of 4-bit codes, once for all instruction sets; included like kernels.inl, and bound by the same rules. Needs
// of vec_<isa>.h also
//   ScanSums: the sums of 32 entries in 16 bits; add_pair(sums, codes, tables); store(std::uint16_t*, sums);
//   load_u16(p): kLanes 16-bit numbers as F32; broadcast; below(a, b): a bit for each lane where a < b.

namespace {

constexpr std::size_t kEntries = kScanEntries;

// Writes the scores of a block's entries and returns a bit for each of those below the limit.
template <ScanFloats kFloats>
HOPSPAN_ALWAYS_INLINE std::uint32_t score_block(const ScanSums& sums, const Byte* floats, F32 scale, F32 offset,
                                                F32 limit, float* scores) {
  alignas(64) std::uint16_t numbers[kEntries];
  store(numbers, sums);
  std::uint32_t near = 0;
  for (std::size_t i = 0; i < kEntries; i += F32::kLanes) {
    const Byte* const own = floats + i * sizeof(float);
    const F32 term = kFloats != ScanFloats::kNone ? load_f32(own) : F32::zero();
    const F32 sum = load_u16(numbers + i);
    const F32 score = kFloats == ScanFloats::kTermsAndFactors
                          ? mul_add(term, mul_add(offset, sum, scale), load_f32(own + kEntries * sizeof(float)))
                          : mul_add(term, sum, scale);
    store(scores + i, score);
    near |= below(score, limit) << i;
  }
  return near;
}

template <ScanFloats kFloats>
std::size_t scan_blocks(const ScanShape& shape, const ScanQuery& query, const Byte* block, std::size_t count,
                        std::uint32_t* positions, float* scores) {
  const F32 scale = broadcast(query.scale), offset = broadcast(query.offset), limit = broadcast(query.limit);
  std::size_t found = 0;
  for (std::size_t first = 0; first < count; first += kEntries, block += shape.block_bytes) {
    ScanSums sums = ScanSums::zero();
    for (std::size_t p = 0; p < shape.pairs; ++p) sums = add_pair(sums, block + p * 32, query.tables + p * 32);
    alignas(64) float block_scores[kEntries];
    std::uint32_t near = score_block<kFloats>(sums, block + shape.pairs * 32, scale, offset, limit, block_scores);
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
  switch (shape.floats) {
    case ScanFloats::kNone:
      return scan_blocks<ScanFloats::kNone>(shape, query, first, count, positions, scores);
    case ScanFloats::kTerms:
      return scan_blocks<ScanFloats::kTerms>(shape, query, first, count, positions, scores);
    default:
      return scan_blocks<ScanFloats::kTermsAndFactors>(shape, query, first, count, positions, scores);
  }
}

}  // namespace

constexpr ScanTable scan_table = {kIsa, scan};
