// Vectors of clusters for the tests of how lists are made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/random.h"
#include "vectors/matrix.h"

namespace hopspan::test {

inline vectors::Matrix gaussians(std::size_t count, std::size_t dim, std::uint64_t seed) {
  std::vector<float> all(count * dim);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t cluster = core::random_u64(seed, i) % 30;
    for (std::size_t d = 0; d < dim; ++d) {
      double noise = 0.0;
      for (std::uint64_t n = 0; n < 4; ++n) noise += core::random_unit(seed + 1, (i * dim + d) * 4 + n) - 0.5;
      all[i * dim + d] = static_cast<float>(2.0 * core::random_unit(77, cluster * dim + d) + noise);
    }
  }
  vectors::Matrix rows({dim, Metric::kL2, DType::kFloat32});
  rows.append({all.data(), count, dim, DType::kFloat32});
  return rows;
}

}  // namespace hopspan::test
