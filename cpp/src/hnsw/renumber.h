// Levels with fewer nodes: those that stay are numbered anew in their order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hnsw/graph.h"

namespace hopspan::hnsw {

// The new number of each of `size` nodes: its place in `kept`, which ascends, or kNone.
std::vector<std::uint32_t> numbering(const std::vector<std::uint32_t>& kept, std::size_t size);

// The level without the nodes that are not kept, to which no kept node links. numbers: as numbering gives them.
// below_numbers: the same of the level below, or null where nothing changes there.
Level keep_nodes(const Level& level, const std::vector<std::uint32_t>& kept, const std::vector<std::uint32_t>& numbers,
                 const std::vector<std::uint32_t>* below_numbers);

Graph copy(const Graph& graph);

// The graph without the slots that are not kept, which are free.
Graph keep_slots(const Graph& graph, const std::vector<std::uint32_t>& kept);

}  // namespace hopspan::hnsw
