#include <cmath>
#include <limits>

#include "index/exact/panels.h"
#include "index/samples.h"
#include "test.h"
#include "vectors/elements.h"
#include "vectors/query.h"

namespace {

using namespace hopspan;
using index::exact::RowPanels;

float packed(const float* panels, std::size_t tile, std::size_t dim, std::size_t i, std::size_t d) {
  return panels[i / tile * tile * dim + d * tile + i % tile];
}

}  // namespace

TEST(index_exact_row_panels_hold_the_rows_as_floats) {
  const std::size_t tile = distance::blocks().row_tile;
  for (const DType dtype : test::kDTypes) {
    for (const Metric metric : test::metrics_of(dtype)) {
      if (metric == Metric::kHamming) continue;
      vectors::Matrix rows({9, metric, dtype});
      rows.append(test::make_vectors(dtype, 3 * tile + 5, 9, 1).view());
      RowPanels panels(rows, 2 * tile);
      panels.pack(tile + 2, tile + 3);
      CHECK_EQUAL(panels.panel_count(), std::size_t{2});
      for (std::size_t i = 0; i < panels.count(); ++i) {
        float row[9];
        vectors::row_to_floats(rows.format(), rows.row(tile + 2 + i), row);
        const float scale =
            metric == Metric::kCosine ? vectors::row_scale(rows.format(), rows.row(tile + 2 + i)) : 1.0F;
        for (std::size_t d = 0; d < 9; ++d) CHECK_EQUAL(packed(panels.panels(), tile, 9, i, d), row[d] * scale);
      }
    }
  }
}

TEST(index_exact_row_panels_bound_half_the_squared_norm) {
  vectors::Matrix rows({100, Metric::kL2, DType::kFloat32});
  test::Vectors data = test::make_vectors(DType::kFloat32, 40, 100, 2);
  for (std::size_t d = 0; d < 100; ++d) data.floats[7 * 100 + d] *= 1e30F;
  rows.append(data.view());
  RowPanels panels(rows, 64);
  panels.pack(0, 40);
  for (std::size_t i = 0; i < 40; ++i) {
    double norm = 0.0;
    for (std::size_t d = 0; d < 100; ++d)
      norm += static_cast<double>(data.floats[i * 100 + d]) * data.floats[i * 100 + d];
    CHECK(panels.low()[i] < norm / 2 * (1 - 1e-5) && panels.high()[i] > norm / 2 * (1 + 1e-5));
    CHECK((i == 7) == std::isinf(panels.low()[i]) && (i == 7) == std::isinf(panels.high()[i]));
  }
}

TEST(index_exact_query_panels_are_unit_vectors_under_cosine) {
  const std::size_t tile = distance::blocks().query_tile, count = 2 * tile + 1;
  const vectors::RowFormat format{5, Metric::kCosine, DType::kInt8};
  const test::Vectors data = test::make_vectors(DType::kInt8, count, 5, 3);
  const std::size_t stride = vectors::prepared_bytes(format);
  core::Buffer prepared(count * stride);
  for (std::size_t i = 0; i < count; ++i) vectors::prepare_query(format, data.view(), i, prepared.data() + i * stride);
  const core::Buffer panels = index::exact::pack_queries(format, {prepared.data(), stride, count});
  for (std::size_t i = 0; i < count; ++i) {
    double norm = 0.0;
    for (std::size_t d = 0; d < 5; ++d) norm += data.floats[i * 5 + d] * data.floats[i * 5 + d];
    CHECK(std::abs(index::exact::query_norm(format, prepared.data() + i * stride) - std::sqrt(norm)) < 1e-9);
    for (std::size_t d = 0; d < 5; ++d) {
      const float value = packed(reinterpret_cast<const float*>(panels.data()), tile, 5, i, d);
      CHECK(std::abs(value - data.floats[i * 5 + d] / std::sqrt(norm)) < 1e-6);
    }
  }
}
