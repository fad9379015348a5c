// The links of a hierarchical navigable small world graph (Malkov & Yashunin, 1603.09320), without the vectors.
//
// Level 0 has one row of 2 M links for every slot. The levels above are compact: node i of level l stands for a slot,
// stores M links to nodes of the same level, and knows its own number on the level below. Rows are packed to the left;
// the unused rest holds kNone. Nodes keep the order in which they were inserted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/array.h"
#include "hopspan/options.h"

namespace hopspan::hnsw {

inline constexpr std::uint32_t kNone = 0xFFFFFFFFu;
inline constexpr std::size_t kMaxNodes = kNone;  // slots are 32 bits wide and kNone is none of them
inline constexpr std::size_t kMaxLevels = 32;

struct Level {
  core::Array<std::uint32_t> slots;  // node -> slot; empty on level 0, where they are the same
  core::Array<std::uint32_t> below;  // node -> its number on the level below; empty on level 0
  core::Array<std::uint32_t> links;  // node * width -> nodes of this level
  std::size_t width = 0;             // links a node at most
  std::size_t size = 0;

  const std::uint32_t* row(std::size_t node) const noexcept { return links.data() + node * width; }
  std::uint32_t slot(std::uint32_t node) const noexcept { return slots.size() == 0 ? node : slots[node]; }
};

struct Graph {
  explicit Graph(const HnswOptions& options);

  std::size_t size() const noexcept { return levels.empty() ? 0 : levels[0].size; }
  std::uint32_t top_entry() const noexcept { return entry; }

  std::uint32_t M;
  std::vector<Level> levels;     // levels[0] always exists
  std::uint32_t entry = kNone;   // node of the top level where every search starts
};

// Throws CorruptIndexError unless every row is well formed: links in range, not to itself, distinct, kNone only at the
// end; every node's `slots` and `below` agree; the entry is on the top level. `size`: how many vectors there are.
void validate(const Graph& graph, std::size_t size);

// The number of slots that a walk along level 0, from the slot of the entry point, meets.
std::size_t count_reachable(const Graph& graph);

}  // namespace hopspan::hnsw
