// The scan of 4-bit codes against a plain loop over the layout that scan.h states.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "distance/reference.h"
#include "distance/scan.h"
#include "test.h"

namespace hopspan::test {
namespace {

using distance::kScanEntries;
using distance::ScanExtras;
using distance::ScanShape;

struct Blocks {
  ScanShape shape;
  std::size_t count;
  std::vector<unsigned char> bytes;
  std::vector<std::uint8_t> tables;
};

// Terms are whole numbers, and so is what rounded factors stand for, so that every score is exact.
Blocks random_blocks(std::size_t pairs, std::size_t count, ScanExtras extras, std::uint8_t highest,
                     std::uint64_t seed) {
  const std::size_t extra_bytes = extras == ScanExtras::kNone ? 0 : extras == ScanExtras::kTerms ? sizeof(float) : 2;
  const std::size_t block_bytes = pairs * 32 + extra_bytes * kScanEntries + 4;
  const std::size_t blocks = (count + kScanEntries - 1) / kScanEntries;
  Blocks made{{pairs, block_bytes, extras}, count, std::vector<unsigned char>(blocks * block_bytes), {}};
  Generator random(seed);
  for (unsigned char& byte : made.bytes) byte = static_cast<unsigned char>(random.bits());
  for (std::size_t i = 0; extras == ScanExtras::kTerms && i < blocks * kScanEntries; ++i) {
    const float value = static_cast<float>(random.bits() % 1000) - 500.0f;
    std::memcpy(made.bytes.data() + i / kScanEntries * block_bytes + pairs * 32 + i % kScanEntries * sizeof value,
                &value, sizeof value);
  }
  for (std::size_t i = 0; i < pairs * 32; ++i)
    made.tables.push_back(static_cast<std::uint8_t>(random.bits() % (highest + 1u)));
  return made;
}

constexpr float kOffset = 3.0f;
constexpr distance::ScanRange kTerms{-500.0f, 4.0f}, kFactors{2.0f, 1.0f};

float value(const distance::ScanRange& range, unsigned char byte) {
  return range.low + range.step * static_cast<float>(byte);
}

float score(const Blocks& blocks, float scale, std::size_t entry) {
  const unsigned char* const block = blocks.bytes.data() + entry / kScanEntries * blocks.shape.block_bytes;
  const std::size_t j = entry % kScanEntries;
  unsigned sum = 0;
  for (std::size_t code = 0; code < 2 * blocks.shape.pairs; ++code) {
    const unsigned both = block[code / 2 * 32 + code % 2 * 16 + j % 16];
    sum += blocks.tables[code * 16 + (j < 16 ? both & 15 : both >> 4)];
  }
  const unsigned char* const extras = block + blocks.shape.pairs * 32;
  if (blocks.shape.extras == ScanExtras::kRoundedTermsAndFactors) {
    return (static_cast<float>(sum) * scale + kOffset) * value(kFactors, extras[kScanEntries + j]) +
           value(kTerms, extras[j]);
  }
  float term = 0;
  if (blocks.shape.extras == ScanExtras::kTerms) std::memcpy(&term, extras + j * sizeof term, sizeof term);
  return static_cast<float>(sum) * scale + term;
}

void check_scan(const distance::ScanTable& table, const Blocks& blocks, float scale, float limit) {
  const std::size_t room = (blocks.count + kScanEntries - 1) / kScanEntries * kScanEntries;
  std::vector<std::uint32_t> positions(room + 1, 77);
  std::vector<float> scores(room + 1, -7.0f);
  const std::size_t found = table.scan(blocks.shape, {blocks.tables.data(), scale, limit, kOffset, kTerms, kFactors},
                                       blocks.bytes.data(), blocks.count, positions.data(), scores.data());
  std::size_t expected = 0;
  for (std::size_t i = 0; i < blocks.count; ++i) {
    const float wanted = score(blocks, scale, i);
    if (!(wanted < limit)) continue;
    if (expected == found || positions[expected] != i || scores[expected] != wanted)
      fail(__FILE__, __LINE__, std::string(table.isa) + ": entry " + std::to_string(i));
    ++expected;
  }
  CHECK_EQUAL(found, expected);
  CHECK_EQUAL(positions.back(), 77u);
  CHECK_EQUAL(scores.back(), -7.0f);
}

TEST(scan_finds_every_entry_below_the_limit) {
  for (const char* isa : kAllIsas) {
    const distance::ScanTable* const table = distance::find_scans(isa);
    if (table == nullptr) continue;
    for (const ScanExtras extras : {ScanExtras::kNone, ScanExtras::kTerms, ScanExtras::kRoundedTermsAndFactors}) {
      for (const std::size_t pairs : {1, 2, 3, 25, 32}) {
        for (const std::size_t count : {0, 1, 15, 16, 17, 31, 32, 33, 64, 301}) {
          const Blocks blocks = random_blocks(pairs, count, extras, 255, pairs * 1000 + count);
          const float middle = static_cast<float>(pairs) * 2 * 128;
          for (const float limit : {-1000.0f, 0.5f * middle, middle, 1e9f}) check_scan(*table, blocks, 0.5f, limit);
        }
      }
    }
  }
}

TEST(scan_sums_up_to_sixteen_bits) {
  for (const char* isa : kAllIsas) {
    const distance::ScanTable* const table = distance::find_scans(isa);
    if (table == nullptr) continue;
    Blocks blocks = random_blocks(128, 70, ScanExtras::kNone, 0, 5);
    std::fill(blocks.tables.begin(), blocks.tables.end(), std::uint8_t{255});
    check_scan(*table, blocks, 1.0f, 65281.0f);
    check_scan(*table, blocks, 1.0f, 65280.0f);
  }
}

TEST(a_limit_that_is_not_a_number_lets_nothing_through) {
  for (const char* isa : kAllIsas) {
    const distance::ScanTable* const table = distance::find_scans(isa);
    if (table == nullptr) continue;
    check_scan(*table, random_blocks(3, 64, ScanExtras::kNone, 255, 6), 1.0f, std::nanf(""));
  }
}

}  // namespace
}  // namespace hopspan::test
