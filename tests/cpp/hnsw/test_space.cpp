#include <vector>

#include "graphs.h"
#include "hnsw/space.h"
#include "quantize/quantizer.h"
#include "test.h"

using namespace hopspan;

namespace {

float squared(const std::vector<float>& a, const std::vector<float>& b) {
  float sum = 0.0F;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

// Slots 0 and 1 by the space's own distance and by the floats it gives.
void check_agrees(const hnsw::Space& space, float tolerance) {
  core::Buffer room;
  std::vector<float> a(space.dim());
  std::vector<float> b(space.dim());
  space.to_floats(0, a.data());
  space.to_floats(1, b.data());
  const float distance = space.distance(space.as_query(0, room), 1);
  CHECK(std::abs(squared(a, b) - distance) <= tolerance * distance);
  const std::uint32_t slot = 1;
  float listed = 0.0F;
  space.distances(space.as_query(0, room), &slot, 1, &listed);
  CHECK_EQUAL(listed, distance);
}

}  // namespace

TEST(space_over_rows_compares_their_elements) {
  const vectors::Matrix matrix = test::l2_matrix(test::random_values(10, 20, 1), 20);
  const hnsw::Space space(matrix);
  CHECK_EQUAL(space.size(), std::size_t{10});
  CHECK_EQUAL(space.dim(), std::size_t{20});
  check_agrees(space, 1e-5F);
}

TEST(space_over_codes_compares_them_exactly) {
  const vectors::Matrix matrix = test::l2_matrix(test::random_values(10, 20, 1), 20);
  const quantize::Quantizer quantizer(matrix, 0);
  quantize::Codes codes(quantizer.code_format());
  quantizer.encode(matrix, 0, 10, 1, {}, codes);
  const hnsw::Space space(codes);
  CHECK_EQUAL(space.size(), std::size_t{10});
  check_agrees(space, 0.0F);
}

TEST(space_under_cosine_gives_unit_vectors) {
  const std::vector<float> values = test::random_values(2, 20, 1);
  vectors::Matrix matrix({20, Metric::kCosine, DType::kFloat32});
  matrix.append({values.data(), 2, 20, DType::kFloat32});
  std::vector<float> unit(20);
  hnsw::Space(matrix).to_floats(1, unit.data());
  CHECK(std::abs(squared(unit, std::vector<float>(20)) - 1.0F) < 1e-5F);
}
