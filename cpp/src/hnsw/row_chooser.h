// Which of the links that a node could have its row shall hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/buffer.h"
#include "hnsw/graph.h"
#include "hnsw/select.h"
#include "hnsw/space.h"

namespace hopspan::hnsw {

class RowChooser {
 public:
  // slack: as of Selector.
  explicit RowChooser(float slack = 1.0f) : selector_(slack) {}

  // Writes to `row` those of the distinct `links` with the mark of the tree, which fit, nearest first, and then those
  // that the heuristic chooses of the others. While the row has fewer than `wanted` it is filled up with the nearest of
  // the first `own` links and then with the nearest of the rest.
  void choose(const Level& level, const Space& space, std::uint32_t node, const std::vector<std::uint32_t>& links,
              std::uint32_t* row, std::size_t own = 0, std::size_t wanted = 0);

 private:
  Selector selector_;
  std::vector<std::uint64_t> keys_;
  std::vector<std::uint64_t> candidates_;
  std::vector<std::uint64_t> kept_;
  std::vector<std::uint32_t> slots_;
  std::vector<float> distances_;
  core::Buffer query_;
};

}  // namespace hopspan::hnsw
