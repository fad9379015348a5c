// What a sample says of codes: coarse ones confuse more, and near clusters far apart most of all.
#include <vector>

#include "quantize/quantizer.h"
#include "quantize/rows.h"
#include "test.h"

namespace hopspan::quantize::test {
namespace {

// Rows around few far centres: the steps of a grid that holds all are wide beside a cluster.
vectors::Matrix clustered_rows(const vectors::RowFormat& format, std::size_t rows) {
  std::vector<float> values = normal_values(rows, format.dim, 3);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t cluster = i / format.dim % 8, j = i % format.dim;
    values[i] += 60.0f * static_cast<float>(core::random_unit(cluster, j));
  }
  return matrix_of(format, values);
}

TEST(fidelity_tells_coarse_codes_from_fine_ones) {
  for (const Metric metric : kVectorMetrics) {
    const vectors::Matrix rows = normal_rows({80, metric, DType::kFloat32}, 3000, 1);
    const double coarse = Quantizer(rows, 4, 5).fidelity().candidates,
                 fine = Quantizer(rows, 8, 5).fidelity().candidates;
    CHECK(fine >= 10.0 && fine < 11.5);
    CHECK(coarse > fine && coarse < 60.0);
  }
}

TEST(fidelity_is_low_where_clusters_are_small_beside_the_grid) {
  const vectors::Matrix rows = clustered_rows({80, Metric::kL2, DType::kFloat32}, 3000);
  CHECK(Quantizer(rows, 4, 5).fidelity().candidates > 40.0);
  CHECK(Quantizer(rows, 8, 5).fidelity().candidates < 14.0);
}

TEST(fidelity_of_few_rows_or_equal_rows_is_not_known) {
  CHECK(std::isinf(Quantizer(normal_rows({4, Metric::kL2, DType::kFloat32}, 20, 1), 4, 5).fidelity().deviation));
  const vectors::Matrix equal = matrix_of({4, Metric::kL2, DType::kFloat32}, std::vector<float>(400, 2.0f));
  CHECK(std::isinf(Quantizer(equal, 4, 5).fidelity().deviation));
}

}  // namespace
}  // namespace hopspan::quantize::test
