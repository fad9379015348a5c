// The graph as sections of a container: GRPH tells the size of every level; LKnn, SLnn and BLnn hold the links, the
// slots and the numbers below of level nn. PEND holds the slots that have no links yet, when there are any.
#pragma once

#include <cstdint>
#include <vector>

#include "hnsw/graph.h"
#include "storage/container.h"

namespace hopspan::index {

void write_graph(const hnsw::Graph& graph, storage::ContainerWriter& writer);

// Throws CorruptIndexError unless all sizes agree with each other and the options, and there are `least` slots to
// `most`. Links are not looked at.
hnsw::Graph read_graph(const storage::ContainerReader& reader, const HnswOptions& options, std::size_t least,
                       std::size_t most);

// slots: ascending.
void write_pending(const std::vector<std::uint32_t>& slots, storage::ContainerWriter& writer);
// Throws CorruptIndexError unless they ascend and are below the number of rows.
std::vector<std::uint32_t> read_pending(const storage::ContainerReader& reader, std::size_t rows);

}  // namespace hopspan::index
