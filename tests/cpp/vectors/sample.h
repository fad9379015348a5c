// Small vectors of every dtype for the tests of this room.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/random.h"
#include "hopspan/matrix_view.h"
#include "vectors/matrix.h"

namespace hopspan::vectors::test {

inline constexpr DType kDTypes[] = {DType::kFloat32, DType::kFloat16, DType::kBFloat16,
                                    DType::kInt8,    DType::kUInt8,   DType::kBinary};
inline constexpr Metric kMetrics[] = {Metric::kL2, Metric::kIp, Metric::kCosine, Metric::kHamming};

// Integers 1..100, which every dtype but binary holds exactly.
inline std::vector<float> integers(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(1 + core::random_u64(7, i) % 100);
  return values;
}

inline MatrixView view_of(const std::vector<float>& values, std::size_t dim) {
  return {values.data(), values.size() / dim, dim, DType::kFloat32};
}

inline MatrixView view_of(const std::vector<std::uint8_t>& bytes, std::size_t rows, std::size_t dim, DType dtype) {
  return {bytes.data(), rows, dim, dtype};
}

// Rows of `format` without scales, as a caller with data of the stored dtype has them.
inline std::vector<std::uint8_t> elements_of(const Matrix& matrix) {
  const std::size_t bytes = matrix.format().element_bytes();
  std::vector<std::uint8_t> out(matrix.size() * bytes);
  for (std::size_t slot = 0; slot < matrix.size(); ++slot) matrix.copy_elements(slot, out.data() + slot * bytes);
  return out;
}

}  // namespace hopspan::vectors::test
