// Dot products of blocks of vectors against blocks of vectors, for exact search and clustering.
//
// Layout of a panel: `tile` vectors element by element, tile * dim floats in all; element d of the panel's t-th vector
// is panel[d * tile + t]. Panels follow each other without gaps: vector v is number v % tile of panel v / tile. The
// last panel is filled up with zero vectors. Memory that starts on a cache line is fastest.
#pragma once

#include <cstddef>

namespace hopspan::distance {

// A register-tiled matrix product over packed float32 panels. Operands are packed once and used many times; blocks
// whose part of `out` stays in a cache, a few hundred rows against a thousand queries, are fastest.
struct BlockTable {
  const char* isa;
  std::size_t query_tile;
  std::size_t row_tile;
  // out[q * out_stride + r] = <query q, row r> for every q and r of the panels, the zero vectors of a last panel
  // included: `out` has room for n_query_panels * query_tile rows of n_row_panels * row_tile <= out_stride floats.
  void (*dot)(const float* query_panels, std::size_t n_query_panels, const float* row_panels, std::size_t n_row_panels,
              std::size_t dim, float* out, std::size_t out_stride);
};

// The table for the instruction set that kernels() chose.
const BlockTable& blocks();

// The table of that name, or null when this CPU or build lacks it.
const BlockTable* find_blocks(const char* isa);

// How many panels hold `count` vectors. They take panel_count(count, tile) * tile * dim floats.
inline std::size_t panel_count(std::size_t count, std::size_t tile) { return (count + tile - 1) / tile; }

// Packs `count` vectors, vectors[v * stride .. v * stride + dim), into panels of `tile`.
void pack_panels(const float* vectors, std::size_t stride, std::size_t count, std::size_t dim, std::size_t tile,
                 float* panels);

}  // namespace hopspan::distance
