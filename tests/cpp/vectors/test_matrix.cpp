#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>

#include "hopspan/error.h"
#include "test.h"
#include "vectors/convert.h"
#include "vectors/encode.h"
#include "vectors/matrix.h"
#include "vectors/sample.h"

using namespace hopspan;                 // NOLINT
using namespace hopspan::vectors;        // NOLINT
using namespace hopspan::vectors::test;  // NOLINT

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

float scale_at(const Matrix& matrix, std::size_t slot) {
  return load<float>(matrix.row(slot) + matrix.format().element_bytes(), 0);
}

// Appends `values` to a matrix that holds two rows already; it must refuse, say `part`, and stay as it was.
template <typename E = InvalidArgument>
void check_refused(const RowFormat& format, const MatrixView& view, const std::string& part) {
  Matrix matrix(format);
  if (format.dtype == DType::kBinary) {
    const std::vector<std::uint8_t> zeros(2 * format.element_bytes());
    matrix.append(view_of(zeros, 2, format.dim, DType::kBinary));
  } else {
    matrix.append(view_of(integers(2 * format.dim), format.dim));
  }
  const std::vector<std::byte> before(matrix.data(), matrix.data() + matrix.rows().size());
  CHECK_THROWS(E, part, matrix.append(view));
  CHECK_EQUAL(matrix.size(), 2U);
  CHECK_EQUAL(matrix.rows().size(), before.size());
  CHECK(std::equal(before.begin(), before.end(), matrix.data()));
}

void check_refused(const RowFormat& format, const std::vector<float>& values, const std::string& part) {
  check_refused<>(format, view_of(values, format.dim), part);
}

}  // namespace

TEST(format_sizes) {
  CHECK_EQUAL((RowFormat{9, Metric::kL2, DType::kFloat32}).row_bytes(), 36U);
  CHECK_EQUAL((RowFormat{9, Metric::kCosine, DType::kFloat32}).row_bytes(), 40U);
  CHECK_EQUAL((RowFormat{9, Metric::kCosine, DType::kFloat16}).row_bytes(), 22U);
  CHECK_EQUAL((RowFormat{9, Metric::kIp, DType::kBFloat16}).row_bytes(), 18U);
  CHECK_EQUAL((RowFormat{9, Metric::kCosine, DType::kInt8}).row_bytes(), 13U);
  CHECK_EQUAL((RowFormat{9, Metric::kCosine, DType::kUInt8}).element_bytes(), 9U);
  CHECK_EQUAL((RowFormat{9, Metric::kHamming, DType::kBinary}).row_bytes(), 2U);
  CHECK_EQUAL((RowFormat{8, Metric::kHamming, DType::kBinary}).row_bytes(), 1U);
}

TEST(format_check) {
  for (const Metric metric : kMetrics) {
    for (const DType dtype : kDTypes) {
      const RowFormat format{4, metric, dtype};
      if ((metric == Metric::kHamming) == (dtype == DType::kBinary)) {
        check_format(format);
      } else {
        CHECK_THROWS(InvalidArgument, metric == Metric::kHamming ? "hamming needs" : "binary needs",
                     check_format(format));
      }
    }
  }
  check_format({1, Metric::kL2, DType::kFloat32});
  check_format({65536, Metric::kL2, DType::kFloat32});
  CHECK_THROWS(InvalidArgument, "dim must be 1..65536, not 0", check_format({0, Metric::kL2, DType::kFloat32}));
  CHECK_THROWS(InvalidArgument, "not 65537", check_format({65537, Metric::kL2, DType::kFloat32}));
  CHECK_THROWS(InvalidArgument, "metric number 4", check_format({1, static_cast<Metric>(4), DType::kFloat32}));
  CHECK_THROWS(InvalidArgument, "dtype number 255", check_format({1, Metric::kL2, static_cast<DType>(255)}));
  CHECK_THROWS(InvalidArgument, "not 0", Matrix({0, Metric::kL2, DType::kFloat32}));
}

TEST(matrix_stores_float32_as_every_dtype) {
  const std::size_t dim = 37;
  const std::vector<float> values = integers(5 * dim);
  for (const Metric metric : {Metric::kL2, Metric::kIp, Metric::kCosine}) {
    for (const DType dtype : kDTypes) {
      if (dtype == DType::kBinary) continue;
      Matrix matrix({dim, metric, dtype});
      matrix.append(view_of(values, dim));
      CHECK_EQUAL(matrix.size(), 5U);
      CHECK_EQUAL(matrix.stride(), matrix.format().row_bytes());
      for (std::size_t i = 0; i < values.size(); ++i) {
        const std::byte* row = matrix.row(i / dim);
        float value = 0;
        if (dtype == DType::kFloat32) value = load<float>(row, i % dim);
        if (dtype == DType::kFloat16) widen_float16(row + i % dim * 2, 1, &value);
        if (dtype == DType::kBFloat16) widen_bfloat16(row + i % dim * 2, 1, &value);
        if (dtype == DType::kInt8) value = load<std::int8_t>(row, i % dim);
        if (dtype == DType::kUInt8) value = load<std::uint8_t>(row, i % dim);
        CHECK_EQUAL(value, values[i]);
      }
    }
  }
}

TEST(matrix_takes_its_own_dtype_as_it_is) {
  const std::size_t dim = 21;
  for (const DType dtype : kDTypes) {
    const bool binary = dtype == DType::kBinary;
    const RowFormat format{dim, binary ? Metric::kHamming : Metric::kCosine, dtype};
    std::vector<std::uint8_t> bytes{0xFF, 0x01, 0xF8, 0x00, 0x80, 0x08};
    std::size_t rows = 2;
    if (!binary) {
      Matrix source(format);
      source.append(view_of(integers(3 * dim), dim));
      bytes = elements_of(source);
      rows = 3;
    }
    Matrix matrix(format);
    matrix.append(view_of(bytes, rows, dim, dtype));
    matrix.append(view_of(bytes, rows, dim, dtype));
    CHECK_EQUAL(matrix.size(), 2 * rows);
    std::vector<std::uint8_t> twice = bytes;
    twice.insert(twice.end(), bytes.begin(), bytes.end());
    CHECK(elements_of(matrix) == twice);
    matrix.check();
  }
}

TEST(matrix_scale_is_the_reciprocal_norm_of_what_is_stored) {
  const std::vector<float> values{3, 4, 0, 0, 0, 0, -5, 12};
  for (const DType dtype : {DType::kFloat32, DType::kFloat16, DType::kBFloat16, DType::kInt8}) {
    Matrix matrix({4, Metric::kCosine, dtype});
    matrix.append(view_of(values, 4));
    CHECK_EQUAL(scale_at(matrix, 0), 1.0F / 5.0F);
    CHECK_EQUAL(scale_at(matrix, 1), 1.0F / 13.0F);
  }
  Matrix rounded({1, Metric::kCosine, DType::kBFloat16});
  rounded.append(view_of({1.003F}, 1));  // stored as 1
  CHECK_EQUAL(scale_at(rounded, 0), 1.0F);
}

TEST(matrix_accepts_denormals_and_extreme_norms) {
  Matrix plain({2, Metric::kL2, DType::kFloat32});
  plain.append(view_of({1e-45F, 3e38F, 0.0F, -0.0F}, 2));
  CHECK_EQUAL(plain.size(), 2U);
  Matrix cosine({2, Metric::kCosine, DType::kFloat32});
  cosine.append(view_of({3e30F, 4e30F, 3e-30F, 4e-30F, 1e-45F, 1.0F, 1e37F, 0.0F, 3e-38F, 0.0F}, 2));
  CHECK(std::abs(scale_at(cosine, 0) * 5e30F - 1.0F) < 1e-6F);
  CHECK(std::abs(scale_at(cosine, 1) * 5e-30F - 1.0F) < 1e-6F);
  for (std::size_t slot = 0; slot < cosine.size(); ++slot) CHECK(std::isnormal(scale_at(cosine, slot)));
  cosine.check();
}

TEST(matrix_refuses_norms_whose_reciprocal_is_not_a_float) {
  const RowFormat cosine{2, Metric::kCosine, DType::kFloat32};
  check_refused(cosine, {1, 2, 1e-45F, 0}, "row 1 has norm 1.4013e-45, cosine takes 2.35099e-38 to 4.25353e+37");
  check_refused(cosine, {3e38F, 3e38F}, "row 0 has norm 4.2426");
}

TEST(matrix_refuses_nan_and_infinity) {
  for (const DType dtype : kDTypes) {
    if (dtype == DType::kBinary) continue;
    for (const float bad : {kNan, -kNan, kInfinity, -kInfinity}) {
      std::vector<float> values = integers(19 * 11);
      values[17 * 11 + 10] = bad;
      check_refused({11, Metric::kL2, dtype}, values, "row 17 has a NaN or infinite value");
    }
  }
  for (const DType dtype : {DType::kFloat16, DType::kBFloat16}) {
    for (const std::uint8_t high : {0x7F, 0xFF}) {
      const std::vector<std::uint8_t> halves{0, 0, 0, 0, 0x80, high};
      check_refused({1, Metric::kIp, dtype}, view_of(halves, 3, 1, dtype), "row 2 has a NaN or infinite value");
    }
  }
}

TEST(matrix_refuses_a_zero_vector_under_cosine) {
  check_refused({2, Metric::kCosine, DType::kFloat32}, {1, 1, 0, -0.0F}, "row 1 is a zero vector, which");
  check_refused({2, Metric::kCosine, DType::kInt8}, {1, 1, 0, 0}, "row 1 is a zero vector as int8");
  check_refused({2, Metric::kCosine, DType::kFloat16}, {1, 1, 1e-9F, 0}, "row 1 is a zero vector as float16");
  Matrix l2({2, Metric::kL2, DType::kFloat32});
  l2.append(view_of({0, 0}, 2));
  CHECK_EQUAL(l2.size(), 1U);
}

TEST(matrix_refuses_values_that_the_dtype_cannot_hold) {
  check_refused({2, Metric::kL2, DType::kFloat16}, {1, 2, 3, -65520},
                "row 1, column 1: -65520 is beyond the range of float16 (65504)");
  check_refused({2, Metric::kL2, DType::kBFloat16}, {1, 3.4e38F},
                "row 0, column 1: 3.4e+38 is beyond the range of bfloat16");
  check_refused({2, Metric::kL2, DType::kInt8}, {1, 2, 1.5F, 3},
                "row 1, column 0: 1.5 is not an integer in -128..127, the range of int8");
  check_refused({2, Metric::kL2, DType::kInt8}, {0.1F, 2}, "column 0: 0.1 is");
  check_refused({2, Metric::kL2, DType::kInt8}, {126.99999F, 2}, "column 0: 126.99999 is");
  check_refused({2, Metric::kL2, DType::kInt8}, {1, 128}, "row 0, column 1: 128 is not an integer in -128..127");
  check_refused({2, Metric::kL2, DType::kUInt8}, {-1, 2}, "row 0, column 0: -1 is not an integer in 0..255");
}

TEST(matrix_refuses_bits_after_dim) {
  const RowFormat format{12, Metric::kHamming, DType::kBinary};
  const std::vector<std::uint8_t> bytes{0xFF, 0xF0, 0xFF, 0xF8};
  check_refused(format, view_of(bytes, 2, 12, DType::kBinary), "row 1 has bits set after its 12 dimensions");
}

TEST(matrix_refuses_another_dim_or_dtype) {
  check_refused({4, Metric::kL2, DType::kFloat32}, view_of(integers(10), 5),
                "vectors have 5 dimensions, the index has 4");
  const std::vector<std::uint8_t> bytes(64);
  check_refused<InvalidType>({4, Metric::kL2, DType::kInt8}, view_of(bytes, 1, 4, DType::kUInt8),
                             "vectors are uint8, the index takes float32 or int8");
  check_refused<InvalidType>({4, Metric::kL2, DType::kFloat32}, view_of(bytes, 1, 4, DType::kFloat16),
                             "vectors are float16, the index takes float32");
  check_refused<InvalidType>({8, Metric::kHamming, DType::kBinary}, view_of(bytes, 1, 8, DType::kFloat32),
                             "vectors are float32, the index takes binary");
}

TEST(matrix_append_of_nothing_and_truncate) {
  Matrix matrix({3, Metric::kL2, DType::kFloat32});
  matrix.append({nullptr, 0, 3, DType::kFloat32});
  CHECK_EQUAL(matrix.size(), 0U);
  const std::vector<float> values = integers(12);
  matrix.append(view_of(values, 3));
  matrix.truncate(1);
  CHECK_EQUAL(matrix.size(), 1U);
  matrix.append(view_of(values, 3));
  CHECK_EQUAL(matrix.size(), 5U);
  CHECK_EQUAL(load<float>(matrix.row(4), 2), values[11]);
}

TEST(matrix_over_mapped_rows) {
  const auto owner = std::make_shared<std::vector<float>>(integers(12));
  const auto* bytes = reinterpret_cast<const std::byte*>(owner->data());
  const RowFormat format{3, Metric::kL2, DType::kFloat32};
  Matrix matrix(format, core::Array<std::byte>::view(bytes, 48, owner));
  CHECK_EQUAL(matrix.size(), 4U);
  CHECK(matrix.rows().mapped());
  CHECK(matrix.data() == bytes);
  const std::vector<float> bad{1, 2, kNan};
  CHECK_THROWS(InvalidArgument, "row 0", matrix.append(view_of(bad, 3)));
  CHECK_EQUAL(matrix.size(), 4U);
  matrix.append(view_of({7, 8, 9}, 3));
  CHECK(!matrix.rows().mapped());
  CHECK_EQUAL(matrix.size(), 5U);
  CHECK_EQUAL(load<float>(matrix.row(3), 2), (*owner)[11]);
  CHECK_EQUAL(load<float>(matrix.row(4), 0), 7.0F);
  CHECK_THROWS(CorruptIndexError, "47 bytes", Matrix(format, core::Array<std::byte>::view(bytes, 47, owner)));
}

TEST(matrix_check_finds_rows_that_append_cannot_have_written) {
  const RowFormat format{2, Metric::kCosine, DType::kFloat32};
  const auto check = [&](std::vector<float> rows) {
    core::Array<std::byte> bytes;
    bytes.resize(rows.size() * sizeof(float));
    std::copy_n(reinterpret_cast<const std::byte*>(rows.data()), bytes.size(), bytes.mutable_data());
    Matrix(format, std::move(bytes)).check();
  };
  check({3, 4, 0.2F, 1, 0, 1});
  CHECK_THROWS(CorruptIndexError, "row 1 has a NaN", check({3, 4, 0.2F, kNan, 0, 1}));
  CHECK_THROWS(CorruptIndexError, "row 1 is a zero vector", check({3, 4, 0.2F, 0, 0, 1}));
  CHECK_THROWS(CorruptIndexError, "row 0 has a scale", check({3, 4, 0.2001F, 1, 0, 1}));
  CHECK_THROWS(CorruptIndexError, "row 1 has a scale", check({3, 4, 0.2F, 1, 0, kNan}));
}

TEST(matrix_of_bytes_gives_floats_back) {
  for (const Metric metric : {Metric::kL2, Metric::kIp, Metric::kCosine}) {
    RowFormat format{7, metric, DType::kFloat32};
    Matrix floats(format);
    format.bytes = true;
    Matrix bytes(format);
    const std::vector<float> values = integers(3 * 7);
    floats.append(view_of(values, 7));
    bytes.append(view_of(values, 7));
    CHECK_EQUAL(bytes.stride(), metric == Metric::kCosine ? 11U : 7U);
    std::vector<float> row(7);
    for (std::size_t slot = 0; slot < 3; ++slot) {
      bytes.copy_elements(slot, row.data());
      CHECK(std::equal(row.begin(), row.end(), values.begin() + static_cast<std::ptrdiff_t>(7 * slot)));
    }
    bytes.check();
    const Matrix wide = bytes.widened();
    CHECK(!wide.format().bytes);
    CHECK_EQUAL(wide.rows().size(), floats.rows().size());
    CHECK(std::equal(wide.data(), wide.data() + wide.rows().size(), floats.data()));
  }
}

TEST(bytes_are_whole_numbers_that_come_back_bit_for_bit) {
  std::vector<float> values(256);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  CHECK(are_bytes(view_of(values, 64)));
  CHECK(are_bytes(MatrixView{nullptr, 0, 64, DType::kFloat32}));
  for (const float other :
       {-0.0F, -1.0F, 256.0F, 0.5F, 254.99998F, 1e9F, -1e9F, 1e-40F, 4294967296.0F, kInfinity, -kInfinity, kNan}) {
    std::vector<float> changed = values;
    changed[77] = other;
    CHECK(!are_bytes(view_of(changed, 64)));
  }
  const std::vector<std::uint8_t> integers(64);
  CHECK(!are_bytes(view_of(integers, 1, 64, DType::kUInt8)));
}
