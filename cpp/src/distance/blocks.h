// Dot products of blocks of vectors against blocks of vectors, for exact search and clustering.
#pragma once

#include <cstddef>

namespace hopspan::distance {

// A register-tiled matrix product over packed float32 panels. Operands are packed once and used many times.
// Panels group `query_tile` (or `row_tile`) vectors, element by element; the last panel is padded with zero vectors.
struct BlockTable {
  const char* isa;
  std::size_t query_tile;
  std::size_t row_tile;
  // out[q * out_stride + r] = <query q, row r> for query panels [0, query_panels) and row panels [0, row_panels).
  void (*dot)(const float* query_panels, std::size_t n_query_panels, const float* row_panels, std::size_t n_row_panels,
              std::size_t dim, float* out, std::size_t out_stride);
};

// The table for the instruction set that kernels() chose.
const BlockTable& blocks();

}  // namespace hopspan::distance
