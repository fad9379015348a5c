// The links of a hierarchical navigable small world graph (Malkov & Yashunin, 1603.09320), without the vectors.
//
// A level has one row of links for each of its nodes. On level 0 nodes are slots and rows are 2 M wide; on the levels
// above nodes are numbered within their level, stand for a slot, know their number one level below, and rows are M
// wide. A row is packed to the left and the unused rest holds kNone.
//
// Links with kTreeBit form, on each level, one spanning tree whose edges are there in both directions. Pruning never
// drops them, so every node can be reached from every other.
//
// A slot of level 0 may be free: its row is empty and no row links to it. Every other node has a link, unless it is the
// only one of its level.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/array.h"
#include "hopspan/options.h"

namespace hopspan::hnsw {

inline constexpr std::uint32_t kNone = 0xFFFFFFFFu;
inline constexpr std::uint32_t kTreeBit = 0x80000000u;
inline constexpr std::size_t kMaxNodes = kTreeBit - 1;
inline constexpr std::size_t kMaxLevels = 32;

inline std::uint32_t target(std::uint32_t link) { return link & ~kTreeBit; }
inline bool is_tree(std::uint32_t link) { return (link & kTreeBit) != 0; }

struct Level {
  core::Array<std::uint32_t> slots;  // node -> slot; empty on level 0, where they are the same
  core::Array<std::uint32_t> below;  // node -> its number one level below; empty on level 0
  core::Array<std::uint32_t> links;  // the rows
  std::size_t width = 0;             // links in a row at most
  std::size_t size = 0;

  const std::uint32_t* row(std::size_t node) const noexcept { return links.data() + node * width; }
  std::uint32_t slot(std::uint32_t node) const noexcept { return slots.size() == 0 ? node : slots[node]; }
};

struct Graph {
  Graph() = default;                           // without a level
  explicit Graph(const HnswOptions& options);  // empty

  std::size_t size() const noexcept { return levels[0].size; }  // free slots included
  std::uint32_t entry_slot() const noexcept { return levels[entry_level].slot(entry); }

  std::vector<Level> levels;
  std::uint32_t entry = kNone;  // node where every search starts
  std::size_t entry_level = 0;  // its level: the top one, but while an insertion is about to raise the graph
  std::size_t replaced = 0;     // nodes that have joined in free slots since all links were last chosen together
};

// The links that a node chooses at most: M, on level 0 half as many again (docs/decisions/0007).
std::size_t out_degree(const HnswOptions& options, const Level& level);

// Links of a row before the first kNone.
std::size_t degree(const std::uint32_t* row, std::size_t width);

// Throws CorruptIndexError unless sizes agree with `size` vectors and `options`, and every row is well formed: links in
// range, distinct, not to the node itself and not to a free one, kNone only at the end; `slots` and `below` agree; the
// entry exists.
void validate(const Graph& graph, const HnswOptions& options, std::size_t size);

// The slots that a walk along level 0 from the entry point's slot meets.
std::vector<bool> reachable(const Graph& graph);
std::size_t count_reachable(const Graph& graph);

}  // namespace hopspan::hnsw
