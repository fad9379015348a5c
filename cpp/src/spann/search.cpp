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

// The nearest entries: all that are below the limit, which falls as nearer ones come.
template <typename Entry>
class Pool {
 public:
  Pool(std::vector<Entry>& entries, std::size_t wanted) : entries_(&entries), wanted_(wanted) { entries.clear(); }

  float limit() const noexcept { return limit_; }
  void add(const Entry& entry) { entries_->push_back(entry); }

  // Keeps the nearest ones when there are too many.
  void tighten(std::size_t slack) {
    if (entries_->size() <= wanted_ + slack) return;
    const auto last = entries_->begin() + static_cast<std::ptrdiff_t>(wanted_);
    std::nth_element(entries_->begin(), last - 1, entries_->end());
    limit_ = (last - 1)->distance;
    entries_->erase(last, entries_->end());
  }

 private:
  std::vector<Entry>* entries_;
  std::size_t wanted_;
  float limit_ = kInfinity;
};

// Of the n-th nearest vector, by its nearest entry; infinite when there are fewer.
float vector_distance(const std::vector<Found>& entries, std::size_t n, std::vector<Found>& room) {
  room = entries;
  std::sort(room.begin(), room.end(), [](const Found& a, const Found& b) {
    return a.slot < b.slot || (a.slot == b.slot && a.distance < b.distance);
  });
  room.erase(std::unique(room.begin(), room.end(), [](const Found& a, const Found& b) { return a.slot == b.slot; }),
             room.end());
  if (n == 0 || room.size() < n) return kInfinity;
  const auto last = room.begin() + static_cast<std::ptrdiff_t>(n - 1);
  std::nth_element(room.begin(), last, room.end());
  return last->distance;
}

// A list that a query looks at.
struct Visit {
  std::uint32_t list;
  std::uint32_t query;
  std::uint32_t place;  // among the query's lists
};

// Every list of the queries, ascending by list.
std::vector<Visit> visits_of(const std::vector<Survey>& surveys) {
  std::vector<Visit> visits;
  for (std::uint32_t q = 0; q < surveys.size(); ++q) {
    for (std::uint32_t p = 0; p < surveys[q].probes; ++p) visits.push_back({surveys[q].heads[p].center, q, p});
  }
  std::sort(visits.begin(), visits.end(),
            [](const Visit& a, const Visit& b) { return a.list < b.list || (a.list == b.list && a.query < b.query); });
  return visits;
}

}  // namespace

std::size_t ListSearcher::search(const SearchRequest& request, ComputeDistances distances, SearchScratch& scratch,
                                 Found* out) const {
  scan_lists(request, scratch);
  collect_slots(request, scratch);
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

void ListSearcher::scan_lists(const SearchRequest& request, SearchScratch& scratch) const {
  coder_.make_tables(request.query, scratch.tables);
  const std::size_t entries = request.candidates * request.copies;
  Pool<Found> pool(scratch.pool, entries);
  scratch.numbers.resize(request.probes);
  for (std::size_t i = 0; i < request.probes; ++i) scratch.numbers[i] = request.heads[i].center;
  const auto look_at = [&](std::size_t first, std::size_t end) {
    const auto arrived = [&](std::size_t place, const std::byte* data, std::size_t size) {
      const float base = heads_.distance(request.heads[first + place]);
      scan(scratch.tables, base, pool.limit(), {data, size, coder_.shape()}, scratch.scan,
           [&](std::uint32_t slot, float distance) {
             if (slot != request.excluded) pool.add({distance, slot});
           });
      pool.tighten(std::max<std::size_t>(32, entries / 2));
    };
    if (first < end) lists_.fetch(&scratch.numbers[first], end - first, arrived, scratch.cost);
  };
  if (request.reach < kInfinity) {
    const std::size_t first = std::min(kFirstLists, request.probes);
    look_at(0, first);
    const float unit = std::fabs(vector_distance(scratch.pool, request.judged, scratch.vectors) + request.offset);
    look_at(first, lists_within(request.heads, request.probes, request.reach * unit));
  } else {
    look_at(0, request.probes);
  }
  pool.tighten(0);
}

void ListSearcher::survey(std::vector<Survey>& surveys, std::size_t most, SearchScratch& scratch) const {
  std::vector<Tables> tables(surveys.size());
  std::vector<Pool<Seen>> pools;
  for (std::size_t q = 0; q < surveys.size(); ++q) {
    coder_.make_tables(surveys[q].query, tables[q]);
    pools.emplace_back(surveys[q].seen, most);
  }
  const std::vector<Visit> visits = visits_of(surveys);
  std::vector<std::size_t> first;  // visit of each list
  scratch.numbers.clear();
  for (std::size_t v = 0; v < visits.size(); ++v) {
    if (v != 0 && visits[v].list == visits[v - 1].list) continue;
    first.push_back(v);
    scratch.numbers.push_back(visits[v].list);
  }
  const auto arrived = [&](std::size_t place, const std::byte* data, std::size_t size) {
    const ListView list(data, size, coder_.shape());
    for (std::size_t v = first[place]; v < visits.size() && visits[v].list == scratch.numbers[place]; ++v) {
      const Visit& visit = visits[v];
      Pool<Seen>& pool = pools[visit.query];
      scan(tables[visit.query], heads_.distance(surveys[visit.query].heads[visit.place]), pool.limit(), list,
           scratch.scan, [&](std::uint32_t slot, float distance) {
             if (slot != surveys[visit.query].excluded) pool.add({distance, visit.place, slot});
           });
      pool.tighten(most);
    }
  };
  lists_.fetch(scratch.numbers.data(), scratch.numbers.size(), arrived, scratch.cost);
  for (Pool<Seen>& pool : pools) pool.tighten(0);
  for (Survey& survey : surveys) std::sort(survey.seen.begin(), survey.seen.end());
}

void ListSearcher::scan(const Tables& tables, float base, float limit, const ListView& list, ScanScratch& scratch,
                        Scanned found) const {
  limit -= base;
  const std::size_t near = scan_list(list, tables, std::isnan(limit) ? kInfinity : limit, scratch);
  for (std::size_t i = 0; i < near; ++i) {
    const std::uint32_t slot = slot_of(list.entry(scratch.positions[i]));
    if (slot >= slots_) {
      throw CorruptIndexError("a list holds vector " + std::to_string(slot) + " of " + std::to_string(slots_));
    }
    const float distance = scratch.scores[i] + base;
    found(slot, distance < kInfinity ? distance : kInfinity);
  }
}

// The slots of the pool's entries, each once, and of them the nearest.
void ListSearcher::collect_slots(const SearchRequest& request, SearchScratch& scratch) const {
  if (request.copies > 1) std::sort(scratch.pool.begin(), scratch.pool.end());  // sums depend on the order
  std::size_t bits = 5;
  while ((std::size_t{1} << bits) < 2 * scratch.pool.size()) ++bits;
  scratch.seen.assign(std::size_t{1} << bits, kNoSlot);  // places in scratch.merged
  scratch.merged.clear();
  for (const Found& candidate : scratch.pool) {
    std::size_t at = (candidate.slot * 0x9E3779B1u) >> (32 - bits);
    const auto is_other = [&] { return scratch.merged[scratch.seen[at]].slot != candidate.slot; };
    while (scratch.seen[at] != kNoSlot && is_other()) at = (at + 1) % scratch.seen.size();
    if (scratch.seen[at] == kNoSlot) {
      scratch.seen[at] = static_cast<std::uint32_t>(scratch.merged.size());
      scratch.merged.push_back({candidate.distance, 1, candidate.slot});
    } else {
      scratch.merged[scratch.seen[at]].sum += candidate.distance;
      ++scratch.merged[scratch.seen[at]].entries;
    }
  }
  const std::size_t kept = std::min(request.candidates, scratch.merged.size());
  if (kept < scratch.merged.size()) {
    std::nth_element(scratch.merged.begin(), scratch.merged.begin() + static_cast<std::ptrdiff_t>(kept),
                     scratch.merged.end(), [](const Merged& a, const Merged& b) { return a.mean() < b.mean(); });
  }
  scratch.slots.clear();
  for (std::size_t i = 0; i < kept; ++i) scratch.slots.push_back(scratch.merged[i].slot);
}

}  // namespace hopspan::spann
