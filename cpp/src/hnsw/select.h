// The neighbour-selection heuristic (Alg. 4 of the paper): of the candidates, nearest first, it keeps those that are
// nearer to the base than to any one kept before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/buffer.h"
#include "hnsw/graph.h"
#include "hnsw/space.h"

namespace hopspan::hnsw {

// How many links a node chooses at least, of those that the heuristic would leave out the nearest. Under ip long
// vectors are nearer to everything than it is to itself: the heuristic alone would leave links to them and little else.
std::size_t least_degree(const HnswOptions& options, const Level& level, const Space& space);

// Drops the candidates that are dead, unless there are no others.
void prefer_living(const std::function<bool(std::uint32_t slot)>& is_dead, const Level& level,
                   std::vector<std::uint64_t>& candidates);

// Candidates and chosen neighbours are keys (scratch.h) of a distance to the base and a node of one level.
class Selector {
 public:
  // slack: a candidate is dropped for a chosen neighbour that is so many times nearer to it than the base is (the alpha
  // of DiskANN); more than 1 keeps more. Distances that can be negative need 1.
  explicit Selector(float slack = 1.0f) : slack_(slack) {}

  // candidates: any order, distinct. kept: on entry the keys that are kept in any case, on return also the chosen ones,
  // at most `max` in all. Where the heuristic leaves fewer than `filled`, the nearest of the rest
  // follow.
  void select(const Level& level, const Space& space, std::vector<std::uint64_t>& candidates, std::size_t max,
              std::size_t filled, std::vector<std::uint64_t>& kept);

 private:
  // Moves the candidates that are nearer to `chosen` than to the base into dropped_.
  void drop_shadowed(const Level& level, const Space& space, std::uint64_t chosen,
                     std::vector<std::uint64_t>& candidates, std::size_t first);

  float slack_;
  std::vector<std::uint64_t> dropped_;
  std::vector<std::uint32_t> slots_;
  std::vector<float> distances_;
  core::Buffer query_;
};

}  // namespace hopspan::hnsw
