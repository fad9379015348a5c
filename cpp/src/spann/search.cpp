#include "spann/search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "hopspan/error.h"

namespace hopspan::spann {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

}  // namespace

// The best candidates by their scores: all that are below the limit, which falls as better ones come.
class ListSearcher::Pool {
 public:
  Pool(std::vector<Found>& entries, std::size_t wanted) : entries_(entries), wanted_(wanted) { entries_.clear(); }

  float limit() const noexcept { return limit_; }
  void add(float score, std::uint32_t slot) { entries_.push_back({score, slot}); }

  // Keeps the best ones when there are too many.
  void tighten(std::size_t slack) {
    if (entries_.size() <= wanted_ + slack) return;
    const auto last = entries_.begin() + static_cast<std::ptrdiff_t>(wanted_);
    std::nth_element(entries_.begin(), last - 1, entries_.end());
    limit_ = entries_[wanted_ - 1].distance;
    entries_.erase(last, entries_.end());
  }

 private:
  std::vector<Found>& entries_;
  std::size_t wanted_;
  float limit_ = kInfinity;
};

std::size_t ListSearcher::search(const SearchRequest& request, ComputeDistances distances, SearchScratch& scratch,
                                 Found* out) const {
  codebook_.make_tables(request.query, metric_ == Metric::kL2 ? -2.0F : -1.0F, scratch.tables);
  scratch.numbers.resize(request.probes);
  for (std::size_t i = 0; i < request.probes; ++i) scratch.numbers[i] = request.heads[i].center;
  Pool pool(scratch.pool, request.candidates);
  lists_.fetch(
      scratch.numbers.data(), request.probes,
      [&](std::size_t place, const std::byte* data, std::size_t size) {
        scan(request, request.heads[place].distance, data, size, scratch, pool);
      },
      scratch.cost);
  pool.tighten(0);
  collect_slots(scratch);
  const std::size_t count = scratch.slots.size();
  if (scratch.distances.size() < count) scratch.distances.resize(count);
  distances(scratch.slots.data(), count, scratch.distances.data());
  scratch.pool.clear();
  for (std::size_t i = 0; i < count; ++i) {
    const float distance = scratch.distances[i];
    scratch.pool.push_back({distance < kInfinity ? distance : kInfinity, scratch.slots[i]});
  }
  const std::size_t found = std::min(request.k, count);
  std::partial_sort(scratch.pool.begin(), scratch.pool.begin() + static_cast<std::ptrdiff_t>(found),
                    scratch.pool.end());
  std::copy_n(scratch.pool.begin(), found, out);
  return found;
}

void ListSearcher::scan(const SearchRequest& request, float base, const std::byte* data, std::size_t size,
                        SearchScratch& scratch, Pool& pool) const {
  const ListView list(data, size, shape_);
  const std::size_t room = list_blocks(list.entries()) * distance::kScanEntries;
  if (scratch.positions.size() < room) {
    scratch.positions.resize(room);
    scratch.scores.resize(room);
  }
  base += scratch.tables.offset;
  const float limit = pool.limit() - base;
  const std::size_t near = distance::scans().scan(
      shape_, {scratch.tables.bytes.data(), scratch.tables.scale, std::isnan(limit) ? kInfinity : limit}, list.blocks(),
      list.entries(), scratch.positions.data(), scratch.scores.data());
  for (std::size_t i = 0; i < near; ++i) {
    const std::uint32_t slot = slot_of(list.entry(scratch.positions[i]));
    if (slot >= slots_) {
      throw CorruptIndexError("a list holds vector " + std::to_string(slot) + " of " + std::to_string(slots_));
    }
    const float score = scratch.scores[i] + base;
    if (slot != request.excluded) pool.add(score < kInfinity ? score : kInfinity, slot);
  }
  pool.tighten(std::max<std::size_t>(32, request.candidates / 2));
}

// The slots of the pool, each once.
void ListSearcher::collect_slots(SearchScratch& scratch) const {
  std::size_t bits = 5;
  while ((std::size_t{1} << bits) < 2 * scratch.pool.size()) ++bits;
  scratch.seen.assign(std::size_t{1} << bits, kNoSlot);
  scratch.slots.clear();
  for (const Found& candidate : scratch.pool) {
    std::size_t at = (candidate.slot * 0x9E3779B1u) >> (32 - bits);
    while (scratch.seen[at] != kNoSlot && scratch.seen[at] != candidate.slot) at = (at + 1) % scratch.seen.size();
    if (scratch.seen[at] == candidate.slot) continue;
    scratch.seen[at] = candidate.slot;
    scratch.slots.push_back(candidate.slot);
  }
}

}  // namespace hopspan::spann
