#include "spann/search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "hopspan/error.h"
#include "spann/lists/scan.h"

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
  coder_.make_tables(request.query, scratch.tables);
  Pool pool(scratch.pool, request.candidates);
  fetch(request.heads, request.probes, scratch, [&](std::size_t place, const std::byte* data, std::size_t size) {
    scan(request.heads[place].distance, pool.limit(), data, size, scratch, [&](std::uint32_t slot, float distance) {
      if (slot != request.excluded) pool.add(distance, slot);
    });
    pool.tighten(std::max<std::size_t>(32, request.candidates / 2));
  });
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

void ListSearcher::survey(const float* query, const Nearest* heads, std::size_t probes, SearchScratch& scratch,
                          Surveyed entry) const {
  coder_.make_tables(query, scratch.tables);
  fetch(heads, probes, scratch, [&](std::size_t place, const std::byte* data, std::size_t size) {
    scan(heads[place].distance, kInfinity, data, size, scratch,
         [&](std::uint32_t slot, float distance) { entry(place, slot, distance); });
  });
}

void ListSearcher::fetch(const Nearest* heads, std::size_t probes, SearchScratch& scratch,
                         ByteSource::Arrived arrived) const {
  scratch.numbers.resize(probes);
  for (std::size_t i = 0; i < probes; ++i) scratch.numbers[i] = heads[i].center;
  lists_.fetch(scratch.numbers.data(), probes, arrived, scratch.cost);
}

void ListSearcher::scan(float base, float limit, const std::byte* data, std::size_t size, SearchScratch& scratch,
                        Scanned found) const {
  const ListView list(data, size, coder_.shape());
  limit -= base;
  const std::size_t near = scan_list(list, scratch.tables, std::isnan(limit) ? kInfinity : limit, scratch.scan);
  for (std::size_t i = 0; i < near; ++i) {
    const std::uint32_t slot = slot_of(list.entry(scratch.scan.positions[i]));
    if (slot >= slots_) {
      throw CorruptIndexError("a list holds vector " + std::to_string(slot) + " of " + std::to_string(slots_));
    }
    const float distance = scratch.scan.scores[i] + base;
    found(slot, distance < kInfinity ? distance : kInfinity);
  }
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
