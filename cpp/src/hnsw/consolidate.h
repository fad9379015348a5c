// A graph without its dead nodes: nothing links to them any more (the consolidation of FreshDiskANN,
// 2105.09613, on every level).
#pragma once

#include <cstddef>
#include <vector>

#include "hnsw/graph.h"
#include "hnsw/space.h"

namespace hopspan::hnsw {

// dead: by slot, free slots included; at least one is not. Every row that links to a dead
// node is chosen again from its other links and the links of those nodes, and stays as long as it was, or becomes two
// thirds as long as the mean; the spanning trees are joined over the gaps.
// Afterwards dead slots are free, and levels above hold living nodes only. The result does not depend on `threads`.
Graph consolidated(const Graph& graph, const Space& space, const std::vector<bool>& dead, std::size_t threads,
                   const Progress& progress);

}  // namespace hopspan::hnsw
