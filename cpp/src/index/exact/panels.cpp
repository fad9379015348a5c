#include "index/exact/panels.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/checked.h"
#include "index/exact/margin.h"
#include "vectors/convert.h"
#include "vectors/elements.h"

namespace hopspan::index::exact {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::size_t panel_bytes(std::size_t count, std::size_t tile, std::size_t dim) {
  return core::checked_mul(core::checked_mul(distance::panel_count(count, tile) * tile, dim), sizeof(float));
}

}  // namespace

RowPanels::RowPanels(const vectors::Matrix& rows, std::size_t max_count)
    : rows_(rows),
      panels_(panel_bytes(max_count, distance::blocks().row_tile, rows.format().dim)),
      elements_(distance::blocks().row_tile * rows.format().dim * sizeof(float)),
      low_(max_count),
      high_(max_count) {}

void RowPanels::pack(std::size_t first, std::size_t count) {
  const vectors::RowFormat& format = rows_.format();
  const std::size_t tile = distance::blocks().row_tile;
  float* const elements = reinterpret_cast<float*>(elements_.data());
  float* const panels = reinterpret_cast<float*>(panels_.data());
  first_ = first;
  count_ = count;
  for (std::size_t i = 0; i < count; i += tile) {
    const std::size_t filled = std::min(tile, count - i);
    for (std::size_t t = 0; t < filled; ++t) {
      float* const row = elements + t * format.dim;
      vectors::row_to_floats(format, rows_.row(first + i + t), row);
      low_[i + t] = high_[i + t] = 0.0F;
      if (format.metric == Metric::kCosine) scale_to_unit(i + t, row);
      if (format.metric == Metric::kL2) bound_half_norm(i + t, row);
    }
    distance::pack_panels(elements, format.dim, filled, format.dim, tile, panels + i * format.dim);
  }
}

void RowPanels::scale_to_unit(std::size_t i, float* elements) {
  const float scale = vectors::row_scale(rows_.format(), rows_.row(first_ + i));
  if (!(scale >= 1.0F / kLargestNorm && scale <= 1.0F / kSmallestNorm)) {
    low_[i] = -kInfinity;
    high_[i] = kInfinity;
  }
  for (std::size_t d = 0; d < rows_.format().dim; ++d) elements[d] *= scale;
}

void RowPanels::bound_half_norm(std::size_t i, const float* elements) {
  const std::size_t dim = rows_.format().dim;
  const double half = 0.5 * vectors::squared_norm_float32(elements, dim);
  const bool good = half <= kLargestNorm * kLargestNorm;
  low_[i] = good ? static_cast<float>(half * (1.0 - 2.0 * gamma(dim))) : -kInfinity;
  high_[i] = good ? static_cast<float>(half * (1.0 + 2.0 * gamma(dim))) : kInfinity;
}

core::Buffer pack_queries(const vectors::RowFormat& format, const Queries& queries) {
  const std::size_t tile = distance::blocks().query_tile;
  core::Buffer packed(panel_bytes(queries.count, tile, format.dim));
  core::Buffer elements(tile * format.dim * sizeof(float));
  float* const block = reinterpret_cast<float*>(elements.data());
  for (std::size_t i = 0; i < queries.count; i += tile) {
    const std::size_t filled = std::min(tile, queries.count - i);
    for (std::size_t t = 0; t < filled; ++t) {
      float* const query = block + t * format.dim;
      vectors::query_to_floats(format, queries[i + t], query);
      if (format.metric != Metric::kCosine) continue;
      const double norm = query_norm(format, queries[i + t]);
      for (std::size_t d = 0; d < format.dim; ++d) query[d] = static_cast<float>(query[d] / norm);
    }
    distance::pack_panels(block, format.dim, filled, format.dim, tile,
                          reinterpret_cast<float*>(packed.data()) + i * format.dim);
  }
  return packed;
}

double query_norm(const vectors::RowFormat& format, const void* query) {
  switch (vectors::query_dtype(format)) {
    case DType::kInt8:
      return std::sqrt(vectors::squared_norm_integer<std::int8_t>(query, format.dim));
    case DType::kUInt8:
      return std::sqrt(vectors::squared_norm_integer<std::uint8_t>(query, format.dim));
    case DType::kBinary:
      return 0.0;
    default:
      return std::sqrt(vectors::squared_norm_float32(query, format.dim));
  }
}

}  // namespace hopspan::index::exact
