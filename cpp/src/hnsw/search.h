// Greedy descent and beam search over a graph (Alg. 2 and 5 of the paper).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hnsw/graph.h"
#include "hnsw/scratch.h"
#include "hnsw/space.h"

namespace hopspan::hnsw {

struct Neighbor {
  float distance;
  std::uint32_t slot;
};

// How far a search goes.
struct Effort {
  Effort(std::size_t beam) : ef(beam), width(beam) {}  // of this width, as in the paper
  Effort(std::size_t mean, std::size_t most, const EarlyStop& early) : ef(mean), width(most), stop(early) {}

  std::size_t ef;     // nodes that are expanded, in the mean of many queries
  std::size_t width;  // and at most
  EarlyStop stop;
};

// Finds up to k neighbours of the prepared query; writes them to `out`, nearest first and ties by slot, and returns how
// many there are. `excluded`, when not kNone, is a slot that the walk treats, as nearly as it can, as if it had never
// been added. unlinked: slots that the walk need not meet; each is compared all the same.
// Throws CorruptIndexError when a link of an unverified mapping points outside the graph.
std::size_t search(const Graph& graph, const Space& space, const void* query, std::size_t k, const Effort& effort,
                   Scratch& scratch, Neighbor* out, std::uint32_t excluded = kNone,
                   const std::vector<std::uint32_t>& unlinked = {});

// The steps of a search, for insertion too.

// Walks from `node` of a level above 0 to the nearest node that single steps lead to.
std::uint32_t descend(const Level& level, const Space& space, const void* query, std::uint32_t node, Scratch& scratch,
                      std::uint32_t excluded = kNone);

// Expands scratch.pool, which holds the starting nodes, until all its nodes are expanded.
void beam(const Level& level, const Space& space, const void* query, std::size_t ef, Scratch& scratch,
          std::uint32_t excluded = kNone);

}  // namespace hopspan::hnsw
