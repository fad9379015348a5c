#include <vector>

#include "graphs.h"
#include "hnsw/space.h"
#include "quantize/quantizer.h"
#include "test.h"

using namespace hopspan;

namespace {

// Slot 0 as a query against slot 1, by itself and in a list.
float distance_of_first_two(const hnsw::Space& space) {
  core::Buffer room;
  const float distance = space.distance(space.as_query(0, room), 1);
  const std::uint32_t slot = 1;
  float listed = 0.0F;
  space.distances(space.as_query(0, room), &slot, 1, &listed);
  CHECK_EQUAL(listed, distance);
  return distance;
}

}  // namespace

TEST(space_over_rows_compares_their_elements) {
  const std::vector<float> values = test::random_values(10, 20, 1);
  const vectors::Matrix matrix = test::l2_matrix(values, 20);
  const hnsw::Space space(matrix);
  CHECK_EQUAL(space.size(), std::size_t{10});
  float sum = 0.0F;
  for (std::size_t j = 0; j < 20; ++j) sum += (values[j] - values[20 + j]) * (values[j] - values[20 + j]);
  CHECK(std::abs(distance_of_first_two(space) - sum) <= 1e-5F * sum);
}

TEST(space_over_codes_compares_them_exactly) {
  const vectors::Matrix matrix = test::l2_matrix(test::random_values(10, 20, 1), 20);
  for (const int bits : {8, 4}) {
    const quantize::Quantizer quantizer(matrix, bits, 0);
    quantize::Codes codes(quantizer.code_format());
    quantizer.encode(matrix, 0, 10, 1, {}, codes);
    const hnsw::Space space(codes);
    CHECK_EQUAL(space.size(), std::size_t{10});
    core::Buffer room;
    CHECK_EQUAL(distance_of_first_two(space),
                codes.kernel().one(codes.as_query(0, room), codes.row(1), codes.kernel_dim()));
  }
}
