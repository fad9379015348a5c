// A second look at the links of level 0 (Vamana's second pass, DiskANN, NeurIPS 2019): those that joined early chose
// among few.
#pragma once

#include <cstddef>

#include "core/array.h"
#include "hnsw/graph.h"
#include "hnsw/space.h"

namespace hopspan::hnsw {

// The links that the nodes of level 0 choose in the graph as it is, and those back, with the same spanning tree. Free
// slots stay free. The result does not depend on `threads`.
core::Array<std::uint32_t> refined_links(const Graph& graph, const Space& space, const HnswOptions& options,
                                         std::size_t threads, const Progress& progress);

}  // namespace hopspan::hnsw
