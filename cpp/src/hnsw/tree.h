// The spanning tree of a level (docs/decisions/0006-spanning-tree.md): finding room in it, and giving it edges.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hnsw/graph.h"

namespace hopspan::hnsw {

// The edges in which a node takes part in the spanning tree at most, so that its row keeps room for choice.
inline std::size_t max_tree_degree(const Level& level) { return level.width / 2 < 2 ? 2 : level.width / 2; }

std::size_t tree_degree(const Level& level, std::uint32_t node);

// The first node with room for another edge on a breadth-first walk of the tree from `start`. There is always one: a
// tree has leaves. Throws CorruptIndexError when the marks of a file are not those of a tree and there is none.
std::uint32_t find_room(const Level& level, std::uint32_t start);

// Links `from` to `to` with the mark of the tree, in place of its last unmarked link when the row is full. The other
// direction is for the caller. links: those of the level.
void add_tree_link(const Level& level, std::uint32_t* links, std::uint32_t from, std::uint32_t to);

}  // namespace hopspan::hnsw
