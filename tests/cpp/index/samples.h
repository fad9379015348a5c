// Vectors of every dtype for the tests of the index, made of a seed.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "core/random.h"
#include "hopspan/matrix_view.h"

namespace hopspan::test {

inline constexpr DType kDTypes[] = {DType::kFloat32, DType::kFloat16, DType::kBFloat16,
                                    DType::kInt8,    DType::kUInt8,   DType::kBinary};

// The metrics that go with a dtype.
inline std::vector<Metric> metrics_of(DType dtype) {
  if (dtype == DType::kBinary) return {Metric::kHamming};
  return {Metric::kL2, Metric::kIp, Metric::kCosine};
}

// Rows in the form in which a caller hands them over: float32 or, for binary, packed bits.
struct Vectors {
  std::size_t rows;
  std::size_t dim;
  DType dtype;
  std::vector<float> floats;
  std::vector<std::uint8_t> bits;

  MatrixView view() const {
    return {dtype == DType::kBinary ? static_cast<const void*>(bits.data()) : floats.data(), rows, dim, dtype};
  }
  MatrixView slice(std::size_t first, std::size_t count) const {
    MatrixView part = view();
    const std::size_t row_bytes = dtype == DType::kBinary ? (dim + 7) / 8 : dim * sizeof(float);
    part.data = static_cast<const std::byte*>(part.data) + first * row_bytes;
    part.rows = count;
    return part;
  }
};

inline double gaussian(std::uint64_t seed, std::uint64_t counter) {
  const double radius = std::sqrt(-2.0 * std::log(core::random_unit(seed, 2 * counter)));
  return radius * std::cos(6.283185307179586 * core::random_unit(seed, 2 * counter + 1));
}

// For an index of that dtype; values that it holds exactly or rounds, no integer of them 0.
inline Vectors make_vectors(DType dtype, std::size_t rows, std::size_t dim, std::uint64_t seed) {
  Vectors made{rows, dim, dtype == DType::kBinary ? dtype : DType::kFloat32, {}, {}};
  if (dtype == DType::kBinary) {
    const std::size_t bytes = (dim + 7) / 8;
    for (std::size_t i = 0; i < rows * bytes; ++i) {
      const std::uint8_t unused = static_cast<std::uint8_t>(i % bytes == bytes - 1 ? bytes * 8 - dim : 0);
      made.bits.push_back(static_cast<std::uint8_t>(core::random_u64(seed, i) >> unused << unused));
    }
    return made;
  }
  for (std::size_t i = 0; i < rows * dim; ++i) {
    const double value = gaussian(seed, i);
    if (dtype == DType::kInt8) {
      made.floats.push_back(
          static_cast<float>(std::clamp(value < 0 ? std::floor(value * 40) : std::ceil(value * 40), -128.0, 127.0)));
    } else if (dtype == DType::kUInt8) {
      made.floats.push_back(static_cast<float>(std::clamp(std::round(std::abs(value) * 80.0), 1.0, 255.0)));
    } else {
      made.floats.push_back(static_cast<float>(value));
    }
  }
  return made;
}

// Small whole numbers, equally far from each other in many ways.
inline Vectors make_grid(std::size_t rows, std::size_t dim, std::uint64_t seed) {
  Vectors made{rows, dim, DType::kFloat32, {}, {}};
  for (std::size_t i = 0; i < rows * dim; ++i)
    made.floats.push_back(1.0F + static_cast<float>(core::random_u64(seed, i) % 3));
  return made;
}

}  // namespace hopspan::test
