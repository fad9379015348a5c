// What a graph was before an insertion: undoes it unless it is committed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_set>
#include <vector>

#include "hnsw/graph.h"

namespace hopspan::hnsw {

class Journal {
 public:
  explicit Journal(Graph& graph);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // To be called before the row of a node changes. Nodes that are new cost nothing.
  void save(std::size_t level, std::uint32_t node);
  // Gives level 0 other links, which are those of as many nodes; once, unless they are taken back.
  void exchange_links(core::Array<std::uint32_t>& links) noexcept;
  void take_links_back() noexcept;
  void commit() noexcept { committed_ = true; }

 private:
  struct LevelState {
    std::size_t size;
    std::unordered_set<std::uint32_t> saved;
    std::vector<std::uint32_t> nodes;
    std::vector<std::uint32_t> rows;
  };

  void restore(Level& level, const LevelState& state) noexcept;

  Graph& graph_;
  std::uint32_t entry_;
  std::size_t entry_level_;
  std::vector<LevelState> levels_;
  core::Array<std::uint32_t> exchanged_;  // level 0 had these links after its rows were saved
  bool committed_ = false;
};

}  // namespace hopspan::hnsw
