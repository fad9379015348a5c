// Rows of every float format for the tests of this room, and what their codes say about distances.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/random.h"
#include "quantize/quantizer.h"
#include "vectors/matrix.h"
#include "vectors/query.h"

namespace hopspan::quantize::test {

inline constexpr DType kFloats[] = {DType::kFloat32, DType::kFloat16, DType::kBFloat16};
inline constexpr Metric kVectorMetrics[] = {Metric::kL2, Metric::kIp, Metric::kCosine};

// Roughly normal values, wider in some dimensions than in others, away from zero in some.
inline std::vector<float> normal_values(std::size_t rows, std::size_t dim, std::uint64_t seed) {
  std::vector<float> values(rows * dim);
  for (std::size_t i = 0; i < values.size(); ++i) {
    double sum = -6.0;
    for (std::size_t part = 0; part < 12; ++part) sum += core::random_unit(seed, i * 12 + part);
    const std::size_t j = i % dim;
    values[i] = static_cast<float>(sum * (1.0 + 0.5 * static_cast<double>(j % 3)) + (j % 5 == 0 ? 1.5 : 0.0));
  }
  return values;
}

inline vectors::Matrix matrix_of(const vectors::RowFormat& format, const std::vector<float>& values) {
  vectors::Matrix matrix(format);
  matrix.append({values.data(), values.size() / format.dim, format.dim, DType::kFloat32});
  return matrix;
}

inline vectors::Matrix normal_rows(const vectors::RowFormat& format, std::size_t rows, std::uint64_t seed) {
  return matrix_of(format, normal_values(rows, format.dim, seed));
}

inline Codes encoded(const Quantizer& quantizer, const vectors::Matrix& rows, std::size_t threads = 1) {
  Codes codes(quantizer.code_format());
  quantizer.encode(rows, 0, rows.size(), threads, {}, codes);
  return codes;
}

// A stored row as a query asks for it.
inline core::Buffer prepared_row(const Quantizer& quantizer, const vectors::Matrix& rows, std::size_t slot) {
  core::Buffer prepared(vectors::prepared_bytes(rows.format()));
  vectors::prepare_stored(rows, slot, prepared.data());
  core::Buffer query(quantizer.code_format().query_bytes());
  quantizer.prepare(prepared.data(), query.data());
  return query;
}

inline double distance_of(const Codes& codes, const void* query, std::size_t slot) {
  return codes.kernel().one(query, codes.row(slot), codes.kernel_dim());
}

// The correlation of two lists.
inline double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  double sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0;
  const double n = static_cast<double>(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    sa += a[i], sb += b[i];
    saa += a[i] * a[i], sbb += b[i] * b[i], sab += a[i] * b[i];
  }
  return (n * sab - sa * sb) / std::sqrt((n * saa - sa * sa) * (n * sbb - sb * sb));
}

}  // namespace hopspan::quantize::test
