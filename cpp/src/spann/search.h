// The way of a query through the lists: tables, scan, and the best candidates compared again at full precision.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/function_ref.h"
#include "hopspan/options.h"
#include "spann/clustering/centers.h"
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

inline constexpr std::uint32_t kNoExclusion = 0xFFFFFFFFu;

struct SearchRequest {
  const float* query;    // dim floats, of unit length under cosine
  const Nearest* heads;  // what Centers::probe gave
  std::size_t probes;    // of them
  std::size_t k;
  std::size_t candidates;  // compared again, at least k
  std::uint32_t excluded = kNoExclusion;
};

// What one search needs, made once a thread and used again.
struct SearchScratch {
  Tables tables;
  std::vector<std::uint32_t> numbers;  // of the lists to fetch
  ScanScratch scan;
  std::vector<Found> pool;  // of candidates
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
  ListSearcher(const Coder& coder, const ListSource& lists, std::size_t slots)
      : coder_(coder), lists_(lists), slots_(slots) {}

  // Writes up to k results to `out`, nearest first and ties by slot, and returns how many there are.
  std::size_t search(const SearchRequest& request, ComputeDistances distances, SearchScratch& scratch,
                     Found* out) const;

  // Calls `entry` for every entry of the lists that the heads name, with the head's place among them, the entry's slot
  // and the distance that its codes tell.
  using Surveyed = core::FunctionRef<void(std::size_t place, std::uint32_t slot, float distance)>;
  void survey(const float* query, const Nearest* heads, std::size_t probes, SearchScratch& scratch,
              Surveyed entry) const;

 private:
  class Pool;

  using Scanned = core::FunctionRef<void(std::uint32_t slot, float distance)>;

  // Fetches lists; `arrived` scans each with `scan`.
  void fetch(const Nearest* heads, std::size_t probes, SearchScratch& scratch, ByteSource::Arrived arrived) const;
  // Finds the entries of a list that are nearer than the limit.
  void scan(float base, float limit, const std::byte* data, std::size_t size, SearchScratch& scratch,
            Scanned found) const;
  void collect_slots(SearchScratch& scratch) const;

  const Coder& coder_;
  const ListSource& lists_;
  std::size_t slots_;
};

}  // namespace hopspan::spann
