// The directions of rows that vary in few of them only.
#include <cmath>

#include "quantize/low_rank.h"
#include "quantize/principal.h"
#include "test.h"

namespace hopspan::quantize::test {
namespace {

constexpr std::size_t kDim = 60, kRank = 5;

double product(const float* a, const float* b) {
  double sum = 0;
  for (std::size_t j = 0; j < kDim; ++j) sum += static_cast<double>(a[j]) * b[j];
  return sum;
}

Sample sample_of(const std::vector<float>& values) { return {values.size() / kDim, kDim, values}; }

// The share of the sample's squared length that lies along some rows.
double share_along(const Sample& sample, const std::vector<float>& directions, std::size_t first, std::size_t count) {
  double along = 0, all = 0;
  for (std::size_t i = 0; i < sample.size; ++i) {
    all += product(sample.row(i), sample.row(i));
    for (std::size_t k = first; k < first + count; ++k)
      along += std::pow(product(sample.row(i), directions.data() + k * kDim), 2);
  }
  return along / all;
}

void check_orthonormal(const std::vector<float>& directions, std::size_t count) {
  for (std::size_t a = 0; a < count; ++a) {
    for (std::size_t b = 0; b <= a; ++b)
      CHECK(std::fabs(product(&directions[a * kDim], &directions[b * kDim]) - (a == b ? 1.0 : 0.0)) < 1e-5);
  }
}

TEST(principal_directions_hold_what_varies_the_largest_first) {
  const Sample sample = sample_of(low_rank_values(500, kDim, kRank, 1));
  const std::vector<float> directions = principal_directions(sample, 8, 2, 3);
  check_orthonormal(directions, 8);
  CHECK(share_along(sample, directions, 0, kRank) > 0.999);
  CHECK(share_along(sample, directions, 0, 1) > share_along(sample, directions, kRank - 1, 1));
  CHECK(directions == principal_directions(sample, 8, 1, 3));
}

TEST(principal_directions_of_nothing_are_orthonormal) {
  check_orthonormal(principal_directions(sample_of(std::vector<float>(30 * kDim, 0.0f)), 8, 1, 3), 8);
}

TEST(mixed_directions_span_the_same_with_even_shares) {
  const Sample sample = sample_of(low_rank_values(500, kDim, kRank, 1));
  const std::vector<float> directions = principal_directions(sample, 8, 2, 3);
  const std::vector<float> mix = mixed(directions, kRank, kDim, 2, 9);
  check_orthonormal(mix, kRank);
  CHECK(share_along(sample, mix, 0, kRank) > 0.999);
  CHECK(share_along(sample, mix, 0, 1) < share_along(sample, directions, 0, 1));
}

}  // namespace
}  // namespace hopspan::quantize::test
