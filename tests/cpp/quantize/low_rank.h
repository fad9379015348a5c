// Rows that vary in few directions, as images and sounds do, and a little in all.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "quantize/rows.h"

namespace hopspan::quantize::test {

inline std::vector<float> low_rank_values(std::size_t rows, std::size_t dim, std::size_t rank, std::uint64_t seed) {
  const std::vector<float> weights = normal_values(rows, rank, seed), basis = normal_values(rank, dim, seed + 1);
  std::vector<float> values = normal_values(rows, dim, seed + 2);
  for (float& value : values) value *= 0.02f;
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t k = 0; k < rank; ++k) {
      const float weight = weights[i * rank + k] / static_cast<float>(k + 1);
      for (std::size_t j = 0; j < dim; ++j) values[i * dim + j] += weight * basis[k * dim + j];
    }
  }
  return values;
}

}  // namespace hopspan::quantize::test
