// A second look at the links of level 0 (Vamana's second pass, DiskANN, NeurIPS 2019): those that joined early chose
// among few.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "core/array.h"
#include "hnsw/graph.h"
#include "hnsw/space.h"

namespace hopspan::hnsw {

// The links that the nodes of level 0 choose in the graph as it is, and those back, with the same spanning tree. Free
// slots stay free. is_dead: as of Joining. The result does not depend on `threads`.
core::Array<std::uint32_t> refined_links(const Graph& graph, const Space& space, const HnswOptions& options,
                                         const std::function<bool(std::uint32_t slot)>& is_dead, std::size_t threads,
                                         const Progress& progress);

}  // namespace hopspan::hnsw
