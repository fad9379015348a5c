#include "index/sample.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "core/checked.h"
#include "core/random.h"
#include "vectors/query.h"

namespace hopspan::index {
namespace {

constexpr std::uint64_t kStream = 0x53414D504C45ULL;  // keeps the draw apart from other uses of the seed

// Any `count` of the `size` slots in any order, all equally likely (Floyd's algorithm, then a shuffle).
std::vector<std::uint32_t> draw(std::size_t size, std::size_t count, std::uint64_t seed) {
  std::unordered_set<std::uint32_t> drawn;
  for (std::size_t i = size - count; i < size; ++i) {
    const std::uint32_t candidate = static_cast<std::uint32_t>(core::random_u64(seed ^ kStream, i) % (i + 1));
    if (!drawn.insert(candidate).second) drawn.insert(static_cast<std::uint32_t>(i));
  }
  std::vector<std::pair<std::uint64_t, std::uint32_t>> shuffled;
  for (const std::uint32_t slot : drawn) shuffled.emplace_back(core::random_u64(seed, slot), slot);
  std::sort(shuffled.begin(), shuffled.end());
  std::vector<std::uint32_t> slots;
  for (const auto& [key, slot] : shuffled) slots.push_back(slot);
  return slots;
}

// Turns numbers among the slots that are no holes into slots.
void skip_holes(const std::vector<std::uint32_t>& holes, std::vector<std::uint32_t>& slots) {
  for (std::uint32_t& slot : slots) {
    const auto holes_before = [&](std::size_t i) { return holes[i] - i <= slot; };  // as many slots precede hole i
    std::size_t low = 0, high = holes.size();
    while (low < high) {
      const std::size_t middle = (low + high) / 2;
      if (holes_before(middle)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    slot += static_cast<std::uint32_t>(low);
  }
}

}  // namespace

Sample::Sample(const vectors::RowFormat& format, std::size_t count)
    : stride_(vectors::prepared_bytes(format)), count_(count), prepared_(core::checked_mul(count, stride_)) {}

std::vector<std::uint32_t> Sample::take_slots() {
  std::vector<std::uint32_t> slots = std::move(slots_);
  slots_.clear();
  std::sort(slots.begin(), slots.end());
  return slots;
}

Sample prepare_queries(const vectors::RowFormat& format, const MatrixView& queries) {
  Sample sample(format, queries.rows);
  for (std::size_t i = 0; i < queries.rows; ++i) {
    vectors::prepare_query(format, queries, i, sample.prepared_.data() + i * sample.stride_);
  }
  return sample;
}

Sample held_out(const vectors::Matrix& rows, std::size_t count, std::uint64_t seed,
                const std::vector<std::uint32_t>& holes) {
  const std::size_t size = rows.size() - holes.size();
  Sample sample(rows.format(), std::min(count, size));
  sample.slots_ = draw(size, sample.count_, seed);
  if (!holes.empty()) skip_holes(holes, sample.slots_);
  for (std::size_t i = 0; i < sample.count_; ++i) {
    vectors::prepare_stored(rows, sample.slots_[i], sample.prepared_.data() + i * sample.stride_);
  }
  return sample;
}

}  // namespace hopspan::index
