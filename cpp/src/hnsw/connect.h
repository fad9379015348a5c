// The second half of an insertion step: the nodes that a batch of new nodes chose link back, and each new node becomes
// part of its level's spanning tree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/fair_mutex.h"
#include "hnsw/graph.h"
#include "hnsw/journal.h"
#include "hnsw/new_rows.h"
#include "hnsw/row_chooser.h"
#include "hnsw/space.h"

namespace hopspan::hnsw {

class Connector {
 public:
  // mutex: as in Joining.
  Connector(Graph& graph, const Space& space, Journal& journal, core::FairMutex* mutex, std::size_t threads);

  // sources: the new nodes of the level in the order of joining; their rows are filled, with the link to the tree
  // parent that they wish for, which joined before them, first and marked.
  void link_back(std::size_t level, const std::vector<std::uint32_t>& sources);

 private:
  struct Refusal {
    std::uint32_t orphan;
    std::uint32_t wish;
  };

  struct Worker {
    RowChooser chooser;
    std::vector<std::uint32_t> links;
    std::vector<Refusal> refusals;
  };

  void collect_edges(const std::vector<std::uint32_t>& sources);
  std::uint32_t node_of(std::size_t group) const { return static_cast<std::uint32_t>(edges_[groups_[group]] >> 32); }
  void choose_rows(std::size_t level);
  void connect(std::size_t group, std::uint32_t* row, Worker& worker);
  void adopt_refused(const std::vector<std::uint32_t>& sources);
  void adopt(const Refusal& refusal);

  Graph& graph_;
  const Space& space_;
  Journal& journal_;
  core::FairMutex* mutex_;
  std::size_t threads_;
  std::vector<Worker> workers_;
  std::vector<std::uint64_t> edges_;  // (target, link to add to its row), sorted
  std::vector<std::size_t> groups_;   // where each target's edges start, and the end
  NewRows rows_;                      // of the targets
  std::size_t number_ = 0;            // the level at work
  Level* level_ = nullptr;
  std::uint32_t* links_ = nullptr;
};

}  // namespace hopspan::hnsw
