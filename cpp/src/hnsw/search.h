// Greedy descent and beam search over a graph (Alg. 2 and 5 of the paper).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hnsw/graph.h"
#include "hnsw/space.h"

namespace hopspan::hnsw {

struct Neighbor {
  float distance;
  std::uint32_t slot;
};

// The total order of the library: nearer first, then the smaller slot.
inline bool operator<(const Neighbor& a, const Neighbor& b) {
  return a.distance < b.distance || (a.distance == b.distance && a.slot < b.slot);
}

// What one search needs to remember; made once a thread and used again. Never shared between threads.
class Scratch;

// Counts of one or more searches, added up.
struct Counters {
  std::uint64_t expansions = 0;
  std::uint64_t distances = 0;
};

// Finds up to k neighbours of the prepared query with a beam of ef >= k; writes them to `out` in order and returns how
// many there are. `excluded`, when not kNone, is a slot that the walk treats as absent.
// Throws CorruptIndexError when a link of an unverified mapping points outside the graph.
std::size_t search(const Graph& graph, const Space& space, const void* query, std::size_t k, std::size_t ef,
                   Scratch& scratch, Neighbor* out, std::uint32_t excluded = kNone);

}  // namespace hopspan::hnsw
