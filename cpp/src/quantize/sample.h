// The rows that a quantizer learns from, as the floats that it is to quantise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "vectors/matrix.h"

namespace hopspan::quantize {

// The elements of one prepared query (distance/kernels.h) of a float format, normalised under cosine.
void read_prepared(const vectors::RowFormat& format, const void* prepared, float* out);

// The elements of a stored row. room: vectors::prepared_bytes().
void read_row(const vectors::Matrix& rows, std::size_t slot, void* room, float* out);

// Row-major rows of `dim` floats.
struct Sample {
  std::size_t size;
  std::size_t dim;
  std::vector<float> values;

  const float* row(std::size_t i) const { return values.data() + i * dim; }
  float* row(std::size_t i) { return values.data() + i * dim; }
};

// As many rows as it takes to learn how to quantise, spread evenly over all with a random step inside each part.
Sample draw_sample(const vectors::Matrix& rows, std::uint64_t seed);

}  // namespace hopspan::quantize
