// What a beam search does between one batch of distances and the next (hnsw/search.h), for each instruction set.
//
// A row of links holds numbers of 31 bits, whose highest bit is the graph's own mark, up to the first 0xFFFFFFFF. A key
// is a distance and a node as one integer (distance/keys.h).
#pragma once

#include <cstddef>
#include <cstdint>

namespace hopspan::distance {

inline constexpr std::size_t kBeamPadding = 16;  // elements behind the last that an output or the keys have room for
inline constexpr std::size_t kBadLink = SIZE_MAX;

// 2 ^ (32 - shift) nodes, each where the highest bits of its product with kSeenFactor say.
inline constexpr std::uint32_t kSeenFactor = 0x9E3779B1u;
struct SeenTable {
  std::uint32_t* nodes;
  std::uint32_t shift;
};

struct Merged {
  std::size_t size;
  std::size_t first;  // of the places that changed
};

struct BeamTable {
  const char* isa;
  // Writes the nodes that a row of at most `width` links leads to and that are not in the table, in which they take the
  // places of others; returns how many, or kBadLink when there is a node that is not below `size`.
  std::size_t (*unseen)(const std::uint32_t* row, std::size_t width, std::size_t size, SeenTable seen,
                        std::uint32_t* nodes);
  // Writes the keys that are below the limit, and returns how many.
  std::size_t (*keys_below)(const float* distances, const std::uint32_t* nodes, std::size_t count, std::uint64_t limit,
                            std::uint64_t* keys);
  // Adds `count` keys without a mark, in any order, to `size` that ascend; not those that are there already, with or
  // without a mark. `fresh` is used up.
  Merged (*merge)(std::uint64_t* keys, std::size_t size, std::uint64_t* fresh, std::size_t count);
};

// The table for the instruction set that kernels() chose.
const BeamTable& beams();

// The table of that name, or null when this CPU or build lacks it.
const BeamTable* find_beams(const char* isa);

}  // namespace hopspan::distance
