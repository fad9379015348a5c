// The graph as sections of a container: GRPH tells the size of every level; LKnn, SLnn and BLnn hold the links, the
// slots and the numbers below of level nn.
#pragma once

#include "hnsw/graph.h"
#include "storage/container.h"

namespace hopspan::index {

void write_graph(const hnsw::Graph& graph, storage::ContainerWriter& writer);

// Throws CorruptIndexError unless all sizes agree with each other, the options and the number of rows. Links are not
// looked at.
hnsw::Graph read_graph(const storage::ContainerReader& reader, const HnswOptions& options, std::size_t rows);

}  // namespace hopspan::index
