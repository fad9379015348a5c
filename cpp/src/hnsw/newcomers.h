// The nodes that one insertion adds: their levels (drawn from the seed), their rows, and the order in which they join.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hnsw/graph.h"

namespace hopspan::hnsw {

struct Newcomer {
  std::uint32_t slot;
  std::uint32_t level;  // the highest one it is on
  std::uint32_t node;   // its number there
};

// The level of a slot: floor(-ln(uniform) / ln(M)), section 4.1 of the paper.
std::size_t random_level(std::uint64_t seed, std::uint32_t slot, std::uint32_t M);

// Makes room in `graph` for the slots, which ascend and are free or beyond its size, with empty rows that nothing links
// to yet; by slot.
std::vector<Newcomer> append_nodes(Graph& graph, const std::vector<std::uint32_t>& slots, std::uint32_t M,
                                   std::uint64_t seed);

// Appends free slots to `graph` until it has `size`.
void append_free(Graph& graph, std::size_t size);

}  // namespace hopspan::hnsw
