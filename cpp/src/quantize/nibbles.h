// Rows of 4-bit codes and the queries that are compared with them, as distance/kernels.h lays them out.
//
// Under l2 a query is in quarters of a row's step, and a distance is twice the squared distance in steps. Under ip a
// code c stands for c - 7.5, and a distance is the negative inner product of that with the query's whole numbers.
#pragma once

#include <cstddef>
#include <vector>

#include "hopspan/options.h"

namespace hopspan::quantize {

inline constexpr int kNibbleTop = 15;

// row_bytes: of a row, with what fills it up.
std::size_t nibble_query_bytes(std::size_t row_bytes);

// codes: 0..15, at most two for each of the row's bytes; what they leave of it stays as it is.
void pack_nibbles(const std::vector<float>& codes, std::byte* row);

// steps: under l2 the query on the grid of the codes, in steps; under ip its whole numbers, -127..127. What lies too
// far outside the grid is drawn in.
void nibble_query(Metric metric, const std::vector<float>& steps, std::size_t row_bytes, std::byte* out);

// A stored row as a query.
void nibbles_as_query(Metric metric, const std::byte* row, std::size_t row_bytes, std::byte* out);

}  // namespace hopspan::quantize
