#include <cmath>

#include "index/exact/distance.h"
#include "index/samples.h"
#include "test.h"
#include "vectors/elements.h"
#include "vectors/query.h"

namespace {

using namespace hopspan;

double reference(Metric metric, const float* q, const float* x, std::size_t dim) {
  double squares = 0.0, dot = 0.0, qq = 0.0, xx = 0.0;
  for (std::size_t i = 0; i < dim; ++i) {
    squares += (double{q[i]} - x[i]) * (double{q[i]} - x[i]);
    dot += double{q[i]} * x[i];
    qq += double{q[i]} * q[i];
    xx += double{x[i]} * x[i];
  }
  if (metric == Metric::kL2) return squares;
  return metric == Metric::kIp ? 1.0 - dot : 1.0 - dot / std::sqrt(qq * xx);
}

}  // namespace

TEST(index_exact_distance_is_in_double_precision) {
  for (const DType dtype : test::kDTypes) {
    for (const Metric metric : test::metrics_of(dtype)) {
      if (metric == Metric::kHamming) continue;
      for (const std::size_t dim : {1, 3, 8, 13, 64, 333}) {
        vectors::Matrix rows({dim, metric, dtype});
        rows.append(test::make_vectors(dtype, 5, dim, 1).view());
        const test::Vectors queries = test::make_vectors(dtype, 5, dim, 2);
        std::vector<std::byte> query(vectors::prepared_bytes(rows.format()));
        std::vector<float> q(dim), x(dim);
        for (std::size_t i = 0; i < 5; ++i) {
          vectors::prepare_query(rows.format(), queries.view(), i, query.data());
          vectors::query_to_floats(rows.format(), query.data(), q.data());
          vectors::row_to_floats(rows.format(), rows.row(i), x.data());
          const double expected = reference(metric, q.data(), x.data(), dim);
          const double got = index::exact::distance_fn(rows.format())(query.data(), rows.row(i), dim);
          CHECK(std::abs(got - expected) <= 1e-13 * (std::abs(expected) + static_cast<double>(dim)));
        }
      }
    }
  }
}

TEST(index_exact_distance_of_a_vector_to_itself_is_zero_under_cosine) {
  for (const std::size_t dim : {1, 3, 100}) {
    vectors::Matrix rows({dim, Metric::kCosine, DType::kFloat32});
    rows.append(test::make_vectors(DType::kFloat32, 50, dim, 3).view());
    for (std::uint32_t slot = 0; slot < 50; ++slot) {
      CHECK_EQUAL(index::exact::distance_fn(rows.format())(rows.row(slot), rows.row(slot), dim), 0.0);
    }
  }
}
