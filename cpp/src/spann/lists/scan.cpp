#include "spann/lists/scan.h"

#include <algorithm>
#include <cstring>

namespace hopspan::spann {
namespace {

using distance::kScanEntries;

// Copies a block to one of full width; what is beyond its entries there holds no meaning.
void widen(const distance::ScanShape& shape, const std::byte* block, std::size_t width, std::byte* out) {
  const BlockLayout from(shape, width), to(shape, kBlockWidth);
  const std::size_t codes = 2 * shape.pairs;
  std::size_t code = 0;
  for (; code < codes && code * width + kBlockWidth <= from.bytes; ++code) {
    std::memcpy(out + code * kBlockWidth, block + code * width, kBlockWidth);
  }
  for (; code < codes; ++code) std::memcpy(out + code * kBlockWidth, block + code * width, width);
  const bool rounded = shape.extras == distance::ScanExtras::kRoundedTermsAndFactors;
  const std::size_t kinds = rounded ? 2 : 1, bytes = extra_bytes(shape.extras) / kinds;
  for (std::size_t half = 0; half < 2 * kinds; ++half) {
    std::memcpy(out + to.extras + half * kBlockWidth * bytes, block + from.extras + half * width * bytes,
                width * bytes);
  }
}

// The last block of a list, behind the `near` entries that have been found.
std::size_t scan_last(const ListView& list, const distance::ScanQuery& query, std::size_t near, ScanScratch& scratch) {
  const distance::ScanShape& shape = list.shape();
  const std::size_t last = list.entries() % kScanEntries, whole = list.entries() - last;
  const std::size_t width = (last + 1) / 2;
  scratch.block.resize(shape.block_bytes);
  widen(shape, list.blocks() + whole / kScanEntries * shape.block_bytes, width, scratch.block.data());
  const std::size_t more = distance::scans().scan(shape, query, scratch.block.data(), kScanEntries,
                                                  &scratch.positions[near], &scratch.scores[near]);
  for (std::size_t i = near, end = near + more; i < end; ++i) {
    const std::size_t lane = scratch.positions[i] % kBlockWidth;
    const std::size_t index = scratch.positions[i] < kBlockWidth ? lane : width + lane;
    if (lane >= width || index >= last) continue;
    scratch.positions[near] = static_cast<std::uint32_t>(whole + index);
    scratch.scores[near++] = scratch.scores[i];
  }
  return near;
}

}  // namespace

std::size_t scan_list(const ListView& list, const Tables& tables, float limit, ScanScratch& scratch) {
  const distance::ScanShape& shape = list.shape();
  const std::size_t whole = list.entries() / kScanEntries * kScanEntries;
  if (scratch.positions.size() < whole + kScanEntries) {
    scratch.positions.resize(whole + kScanEntries);
    scratch.scores.resize(whole + kScanEntries);
  }
  // With factors the offset is part of the sum that they multiply.
  const float shift = shape.extras == distance::ScanExtras::kRoundedTermsAndFactors ? 0.0F : tables.offset;
  const distance::ScanQuery query{tables.bytes.data(), tables.scale, limit - shift,
                                  tables.offset,       list.terms(), list.factors()};
  std::size_t near =
      distance::scans().scan(shape, query, list.blocks(), whole, scratch.positions.data(), scratch.scores.data());
  if (whole != list.entries()) near = scan_last(list, query, near, scratch);
  for (std::size_t i = 0; i < near; ++i) scratch.scores[i] += shift;
  return near;
}

}  // namespace hopspan::spann
