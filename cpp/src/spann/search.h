// The way of a query through the lists: tables, scan, and the best candidates compared again at full precision.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/function_ref.h"
#include "hopspan/options.h"
#include "spann/clustering/ranked_heads.h"
#include "spann/list_source.h"
#include "spann/lists/coder.h"
#include "spann/lists/scan.h"

namespace hopspan::spann {

struct Found {
  float distance;
  std::uint32_t slot;
};

inline bool operator<(const Found& a, const Found& b) {
  return a.distance < b.distance || (a.distance == b.distance && a.slot < b.slot);
}

// An entry of a list that a query looked at: the distance that its codes tell, and the list's place among the query's.
struct Seen {
  float distance;
  std::uint32_t list;
  std::uint32_t slot;
};

inline bool operator<(const Seen& a, const Seen& b) {
  return a.distance < b.distance || (a.distance == b.distance && a.slot < b.slot);
}

inline constexpr std::uint32_t kNoExclusion = 0xFFFFFFFFu;

inline constexpr std::size_t kFirstLists = 16;  // looked at before a search tells how far it has to go

// How many heads, at least kFirstLists if there are so many, are no farther than the nearest by more than `apart`.
inline std::size_t lists_within(const Nearest* heads, std::size_t count, float apart) {
  std::size_t lists = std::min(kFirstLists, count);
  while (lists < count && heads[lists].distance - heads[0].distance <= apart) ++lists;
  return lists;
}

struct SearchRequest {
  const float* query;    // dim floats, of unit length under cosine
  const Nearest* heads;  // as RankedHeads ranks them
  std::size_t probes;    // of them
  std::size_t k;
  std::size_t candidates;  // compared again, at least k
  std::uint32_t excluded = kNoExclusion;
  std::size_t copies = 1;  // of a candidate among the entries, which count once and are told by their mean
  // How much farther than the nearest head a list's may be, in units of the distance of the vector that is `judged`-th
  // in the first lists, with the offset added; infinite: all are looked at, at once.
  float reach = std::numeric_limits<float>::infinity();
  float offset = 0.0F;
  std::size_t judged = 0;
};

// One query of a survey, and what it has seen.
struct Survey {
  const float* query;
  const Nearest* heads;
  std::size_t probes;
  std::uint32_t excluded = kNoExclusion;
  std::vector<Seen> seen;
};

// The entries of one vector in several lists. Each tells its distance with an error of its own; the mean errs less.
struct Merged {
  float sum;
  std::uint32_t entries;
  std::uint32_t slot;

  Found mean() const noexcept { return {sum / static_cast<float>(entries), slot}; }
};

// What one search needs, made once a thread and used again.
struct SearchScratch {
  Tables tables;
  std::vector<std::uint32_t> numbers;  // of the lists to fetch
  ScanScratch scan;
  std::vector<Found> pool;     // of candidates
  std::vector<Found> vectors;  // of the pool, each once
  std::vector<Merged> merged;
  std::vector<std::uint32_t> slots;
  std::vector<float> distances;
  std::vector<std::uint32_t> seen;
  FetchCost cost;
};

// Writes the distances of `count` slots at full precision.
using ComputeDistances = core::FunctionRef<void(const std::uint32_t* slots, std::size_t count, float* distances)>;

class ListSearcher {
 public:
  // slots: how many vectors there are; an entry that names another is damage.
  ListSearcher(const Coder& coder, const HeadLengths& heads, const ListSource& lists, std::size_t slots)
      : coder_(coder), heads_(heads), lists_(lists), slots_(slots) {}

  // Writes up to k results to `out`, nearest first and ties by slot, and returns how many there are.
  std::size_t search(const SearchRequest& request, ComputeDistances distances, SearchScratch& scratch,
                     Found* out) const;

  // Gathers the `most` nearest entries that each query sees in its lists; a list of many queries is fetched once.
  void survey(std::vector<Survey>& surveys, std::size_t most, SearchScratch& scratch) const;

 private:
  using Scanned = core::FunctionRef<void(std::uint32_t slot, float distance)>;

  // Finds the entries of a list that are nearer than the limit; base: the distance of its head.
  void scan(const Tables& tables, float base, float limit, const ListView& list, ScanScratch& scratch,
            Scanned found) const;
  // Looks at the lists that the request asks for; candidates are in scratch.pool.
  void scan_lists(const SearchRequest& request, SearchScratch& scratch) const;
  void collect_slots(const SearchRequest& request, SearchScratch& scratch) const;

  const Coder& coder_;
  const HeadLengths& heads_;
  const ListSource& lists_;
  std::size_t slots_;
};

}  // namespace hopspan::spann
