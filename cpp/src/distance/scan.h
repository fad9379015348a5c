// The scan of 4-bit codes: sums of values looked up in registers, 32 entries at a time.
//
// Layout of a block of 32 entries with 2 * `pairs` codes each: 32 bytes for every pair of codes (2p, 2p + 1). Byte
// j < 16 holds code 2p of entry j in its low half and of entry j + 16 in its high half; byte j + 16 holds code 2p + 1
// of the same entries. Behind the codes there may be a float for each entry, its term; or a byte for each, its term
// rounded, and behind them another for each, its factor rounded; and anything else up to block_bytes. Tables: for each
// code its 16 values, code after code.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hopspan::distance {

inline constexpr std::size_t kScanEntries = 32;  // of a block

// What there is behind the codes of a block.
enum class ScanExtras : std::uint8_t { kNone, kTerms, kRoundedTermsAndFactors };

struct ScanShape {
  std::size_t pairs;
  std::size_t block_bytes;
  ScanExtras extras;
};

// What bytes stand for: low + step * byte.
struct ScanRange {
  float low = 0.0F;
  float step = 0.0F;
};

struct ScanQuery {
  const std::uint8_t* tables;
  float scale;
  float limit;
  // With factors only.
  float offset = 0.0F;
  ScanRange terms = {};
  ScanRange factors = {};
};

struct ScanTable {
  const char* isa;
  // An entry's score is scale * the sum of its values; its factor, if there are any, times that and the offset; and its
  // term, if there are any, added. Writes the positions and the scores of the entries below the limit among the first
  // `count`, ascending by position, and returns how many there are. Sums must fit 16 bits; `positions` and `scores`
  // have room for `count` rounded up to whole blocks.
  std::size_t (*scan)(const ScanShape& shape, const ScanQuery& query, const void* blocks, std::size_t count,
                      std::uint32_t* positions, float* scores);
};

// The table for the instruction set that kernels() chose.
const ScanTable& scans();

// The table of that name, or null when this CPU or build lacks it.
const ScanTable* find_scans(const char* isa);

}  // namespace hopspan::distance
