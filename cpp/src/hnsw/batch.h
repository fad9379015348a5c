// Newcomers that join at once, and which of them are on each level.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "hnsw/graph.h"
#include "hnsw/newcomers.h"

namespace hopspan::hnsw {

class Batch {
 public:
  // The nodes that the batch adds to one level, in the order of joining, and their places in the batch, which ascend.
  struct Members {
    std::vector<std::uint32_t> nodes;
    std::vector<std::size_t> places;

    // How many members come before the one at `place`, which is one of them.
    std::size_t rank(std::size_t place) const {
      return static_cast<std::size_t>(std::lower_bound(places.begin(), places.end(), place) - places.begin());
    }
  };

  // Looks at levels [0, levels) only.
  void assign(const Graph& graph, const Newcomer* newcomers, std::size_t size, std::size_t levels) {
    slots_.clear();
    levels_.assign(levels, {});
    for (std::size_t place = 0; place < size; ++place) {
      slots_.push_back(newcomers[place].slot);
      std::uint32_t node = newcomers[place].node;
      for (std::size_t l = newcomers[place].level;; --l) {
        if (l < levels) add(levels_[l], node, place);
        if (l == 0) break;
        node = graph.levels[l].below[node];
      }
    }
  }

  const std::vector<std::uint32_t>& slots() const { return slots_; }
  const std::vector<Members>& levels() const { return levels_; }

 private:
  static void add(Members& members, std::uint32_t node, std::size_t place) {
    members.nodes.push_back(node);
    members.places.push_back(place);
  }

  std::vector<std::uint32_t> slots_;
  std::vector<Members> levels_;
};

}  // namespace hopspan::hnsw
