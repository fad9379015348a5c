#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "distance/kernels.h"
#include "hopspan/error.h"
#include "test.h"
#include "vectors/convert.h"
#include "vectors/query.h"
#include "vectors/sample.h"

using namespace hopspan;                 // NOLINT
using namespace hopspan::vectors;        // NOLINT
using namespace hopspan::vectors::test;  // NOLINT

namespace {

std::vector<std::byte> prepare(const RowFormat& format, const MatrixView& view, std::size_t row) {
  std::vector<std::byte> out(prepared_bytes(format));
  prepare_query(format, view, row, out.data());
  return out;
}

std::vector<std::byte> prepare(const Matrix& matrix, std::size_t slot) {
  std::vector<std::byte> out(prepared_bytes(matrix.format()));
  prepare_stored(matrix, slot, out.data());
  return out;
}

float distance_to(const Matrix& matrix, const std::vector<std::byte>& query, std::size_t slot) {
  const RowFormat& format = matrix.format();
  const auto& kernels = distance::kernels().kernels[static_cast<int>(format.metric)];
  return kernels[static_cast<int>(format.dtype)].one(query.data(), matrix.row(slot), format.dim);
}

}  // namespace

TEST(query_sizes) {
  CHECK_EQUAL(prepared_bytes({9, Metric::kL2, DType::kFloat32}), 36U);
  CHECK_EQUAL(prepared_bytes({9, Metric::kCosine, DType::kFloat16}), 40U);
  CHECK_EQUAL(prepared_bytes({9, Metric::kIp, DType::kBFloat16}), 36U);
  CHECK_EQUAL(prepared_bytes({9, Metric::kCosine, DType::kInt8}), 13U);
  CHECK_EQUAL(prepared_bytes({9, Metric::kHamming, DType::kBinary}), 2U);
}

TEST(query_of_a_stored_row_equals_the_query_of_its_values) {
  const std::size_t dim = 19;
  const std::vector<float> values = integers(3 * dim);
  for (const Metric metric : {Metric::kL2, Metric::kIp, Metric::kCosine}) {
    for (const DType dtype : kDTypes) {
      if (dtype == DType::kBinary) continue;
      Matrix matrix({dim, metric, dtype});
      matrix.append(view_of(values, dim));
      const std::vector<std::uint8_t> elements = elements_of(matrix);
      for (std::size_t row = 0; row < 3; ++row) {
        const auto stored = prepare(matrix, row);
        CHECK(stored == prepare(matrix.format(), view_of(values, dim), row));
        CHECK(stored == prepare(matrix.format(), view_of(elements, 3, dim, dtype), row));
      }
    }
  }
}

TEST(query_keeps_a_float32_query_in_full_precision) {
  const std::vector<float> values{1.0001F, -2.0002F};
  for (const DType dtype : {DType::kFloat16, DType::kBFloat16}) {
    const auto query = prepare({2, Metric::kL2, dtype}, view_of(values, 2), 0);
    CHECK(std::memcmp(query.data(), values.data(), 8) == 0);
  }
}

TEST(query_binary_and_integers_are_as_stored) {
  const std::vector<std::uint8_t> bits{0xAB, 0xC0};
  const auto binary = prepare({10, Metric::kHamming, DType::kBinary}, view_of(bits, 1, 10, DType::kBinary), 0);
  CHECK(std::memcmp(binary.data(), bits.data(), 2) == 0);
  const auto cosine = prepare({2, Metric::kCosine, DType::kInt8}, view_of({-3, 4}, 2), 0);
  CHECK_EQUAL(static_cast<int>(load<std::int8_t>(cosine.data(), 0)), -3);
  CHECK_EQUAL(load<float>(cosine.data() + 2, 0), 0.2F);
}

TEST(query_cosine_scale_is_balanced_by_a_power_of_two) {
  for (const float factor : {1.0F, 1e30F, 1e-30F, 0x1p60F}) {
    const std::vector<float> values{3 * factor, 4 * factor};
    const auto query = prepare({2, Metric::kCosine, DType::kFloat32}, view_of(values, 2), 0);
    const auto scale = load<float>(query.data(), 2);
    CHECK(scale >= 1.0F && scale < 2.0F);
    const auto x = load<float>(query.data(), 0);
    const auto y = load<float>(query.data(), 1);
    const double norm = std::sqrt(static_cast<double>(x) * x + static_cast<double>(y) * y);
    CHECK(norm > 0.5 && norm <= 1.0);
    CHECK(std::abs(scale * norm - 1.0) < 1e-6);
    int exponent = 0;
    CHECK_EQUAL(std::frexp(values[0] / x, &exponent), 0.5F);
  }
}

// Planted bug that turns it red: prepare_query without the balance.
TEST(query_cosine_is_right_for_extreme_norms) {
  const std::vector<float> values{3e37F, 1e37F, 1e37F,  0,       1e30F,  1e30F, -1e30F, 1e30F,  1,      1e-10F,
                                  1e-9F, 0,     3e-30F, -2e-30F, 1e-30F, 0,     3e-38F, 1e-38F, 1e-38F, 0};
  Matrix matrix({4, Metric::kCosine, DType::kFloat32});
  matrix.append(view_of(values, 4));
  for (std::size_t q = 0; q < matrix.size(); ++q) {
    const auto query = prepare(matrix, q);
    for (std::size_t r = 0; r < matrix.size(); ++r) {
      double dot = 0;
      double qq = 0;
      double rr = 0;
      for (std::size_t i = 0; i < 4; ++i) {
        const double a = values[4 * q + i];
        const double b = values[4 * r + i];
        dot += a * b;
        qq += a * a;
        rr += b * b;
      }
      CHECK(std::abs(distance_to(matrix, query, r) - (1.0 - dot / std::sqrt(qq * rr))) < 1e-5);
    }
  }
}

TEST(query_checks_are_those_of_append) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const RowFormat float32{2, Metric::kCosine, DType::kFloat32};
  check_queries(float32, view_of({1, 2, 3, 4}, 2));
  check_queries(float32, {nullptr, 0, 2, DType::kFloat32});
  CHECK_THROWS(InvalidArgument, "vectors have 3 dimensions", check_queries(float32, view_of({1, 2, 3}, 3)));
  CHECK_THROWS(InvalidArgument, "row 1 has a NaN", check_queries(float32, view_of({1, 2, nan, 4}, 2)));
  CHECK_THROWS(InvalidArgument, "row 1 is a zero vector", check_queries(float32, view_of({1, 2, 0, 0}, 2)));
  CHECK_THROWS(InvalidArgument, "row 0 has norm", check_queries(float32, view_of({1e-44F, 0}, 2)));
  const RowFormat int8{2, Metric::kCosine, DType::kInt8};
  CHECK_THROWS(InvalidArgument, "row 1, column 0: 0.5", check_queries(int8, view_of({1, 2, 0.5F, 4}, 2)));
  CHECK_THROWS(InvalidArgument, "row 0 is a zero vector as int8", check_queries(int8, view_of({0, 0}, 2)));
  const std::vector<std::uint8_t> bytes{0xFF, 0xFF};
  CHECK_THROWS(InvalidType, "vectors are uint8", check_queries(int8, view_of(bytes, 1, 2, DType::kUInt8)));
  CHECK_THROWS(InvalidArgument, "row 0 has bits set after its 9 dimensions",
               check_queries({9, Metric::kHamming, DType::kBinary}, view_of(bytes, 1, 9, DType::kBinary)));
  CHECK_THROWS(InvalidArgument, "row 0, column 0: 70000",
               check_queries({1, Metric::kL2, DType::kFloat16}, view_of({7e4F}, 1)));
}

// A damaged scale in an unverified file gives a wrong distance, not undefined behaviour.
TEST(query_of_a_row_with_a_damaged_scale_is_harmless) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float scale : {0.0F, -1.0F, 1e-45F, infinity, std::numeric_limits<float>::quiet_NaN()}) {
    const float row[] = {1, 2, scale};
    core::Array<std::byte> bytes;
    bytes.resize(sizeof row);
    std::memcpy(bytes.mutable_data(), row, sizeof row);
    const Matrix matrix({2, Metric::kCosine, DType::kFloat32}, std::move(bytes));
    CHECK_EQUAL(prepare(matrix, 0).size(), 12U);
  }
}
