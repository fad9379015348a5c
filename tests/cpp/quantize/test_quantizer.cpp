// What codes keep of the distances, that they do not depend on threads, and what is refused.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "distance/kernels.h"
#include "hopspan/error.h"
#include "quantize/quantizer.h"
#include "quantize/rows.h"
#include "test.h"

namespace hopspan::quantize::test {
namespace {

using vectors::Matrix;
using vectors::RowFormat;

double true_distance(const Matrix& rows, std::size_t a, std::size_t b) {
  core::Buffer query(vectors::prepared_bytes(rows.format()));
  vectors::prepare_stored(rows, a, query.data());
  const RowFormat& format = rows.format();
  return distance::kernels().kernels[static_cast<int>(format.metric)][static_cast<int>(format.dtype)].one(
      query.data(), rows.row(b), format.dim);
}

template <typename F>
void for_each_format(std::size_t dim, F&& f) {
  for (Metric metric : kVectorMetrics)
    for (DType dtype : kFloats) f(RowFormat{dim, metric, dtype});
}

// How far codes of so many bits keep the order of distances, of a query and of a row as a query.
void check_order(std::size_t dim, int bits, double least_by_query, double least_by_row) {
  for_each_format(dim, [&](const RowFormat& format) {
    const Matrix rows = normal_rows(format, 400, 1);
    const Quantizer quantizer(rows, bits, 5);
    const Codes codes = encoded(quantizer, rows);
    const core::Buffer query = prepared_row(quantizer, rows, 7);
    core::Buffer room;
    std::vector<double> exact, by_query, by_row;
    for (std::size_t slot = 0; slot < rows.size(); ++slot) {
      exact.push_back(true_distance(rows, 7, slot));
      by_query.push_back(distance_of(codes, query.data(), slot));
      by_row.push_back(distance_of(codes, codes.as_query(7, room), slot));
    }
    if (format.dim == 1 && format.metric == Metric::kCosine) return;  // all at one of two places
    CHECK(correlation(exact, by_query) > least_by_query);
    CHECK(correlation(exact, by_row) > least_by_row);
  });
}

TEST(quantizer_keeps_the_order_of_distances) {
  for (std::size_t dim : {1, 24, 100, 130}) check_order(dim, 8, 0.9995, 0.9995);
}

TEST(quantizer_keeps_the_order_of_distances_in_4_bits) {
  for (std::size_t dim : {24, 101, 130}) check_order(dim, 4, 0.96, 0.95);
}

TEST(quantizer_knows_the_least_distance_behind_codes) {
  for (const int bits : {4, 8}) {
    for_each_format(48, [&](const RowFormat& format) {
      const Matrix rows = normal_rows(format, 2000, 1);
      const Quantizer quantizer(rows, bits, 5);
      const Codes codes = encoded(quantizer, rows);
      const core::Buffer query = prepared_row(quantizer, rows, 7);
      std::size_t below = 0, tight = 0;
      for (std::size_t slot = 0; slot < rows.size(); ++slot) {
        const double exact = true_distance(rows, 7, slot);
        const double least = quantizer.least_distance(static_cast<float>(distance_of(codes, query.data(), slot)));
        below += exact < least ? 1 : 0;
        tight += least > 0.7 * exact ? 1 : 0;
      }
      CHECK(below <= 60);
      CHECK(format.metric == Metric::kIp || tight > 1900);
    });
  }
}

// As in a set a hundred times larger than the sample.
TEST(quantizer_knows_the_least_distance_of_rows_nearer_than_those_of_its_sample) {
  for (const int bits : {4, 8}) {
    const Matrix rows = normal_rows({48, Metric::kL2, DType::kFloat32}, 2000, 1);
    const Quantizer quantizer(rows, bits, 5);
    const Codes codes = encoded(quantizer, rows);
    std::vector<std::byte> query(quantizer.code_format().query_bytes());
    std::size_t below = 0;
    for (std::size_t slot = 0; slot < rows.size(); ++slot) {
      std::vector<float> values(48);
      double exact = 0;
      const auto* const row = reinterpret_cast<const float*>(rows.row(slot));
      for (std::size_t j = 0; j < values.size(); ++j) {
        const double shift = 0.2 * (core::random_unit(9, slot * 48 + j) - 0.5);
        values[j] = row[j] + static_cast<float>(shift);
        exact += shift * shift;
      }
      quantizer.prepare_values(values, query.data());
      const double least = quantizer.least_distance(static_cast<float>(distance_of(codes, query.data(), slot)));
      below += exact < least ? 1 : 0;
    }
    CHECK(below < 200);
  }
}

TEST(quantizer_takes_the_distance_of_a_row_to_itself_as_zero) {
  for (Metric metric : {Metric::kL2, Metric::kCosine}) {
    const Matrix rows = normal_rows({33, metric, DType::kFloat32}, 50, 1);
    const Quantizer quantizer(rows, 8, 5);
    const Codes codes = encoded(quantizer, rows);
    for (std::size_t slot = 0; slot < rows.size(); ++slot)
      CHECK_EQUAL(distance_of(codes, prepared_row(quantizer, rows, slot).data(), slot), 0.0);
  }
}

TEST(quantizer_holds_whole_numbers_without_error) {
  std::vector<float> values(300 * 20);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(core::random_u64(3, i) % 256) + static_cast<float>(i % 20) * 100.0f - 700.0f;
  }
  const Matrix rows = matrix_of({20, Metric::kL2, DType::kFloat32}, values);
  const Quantizer quantizer(rows, 8, 5);
  const Codes codes = encoded(quantizer, rows);
  const core::Buffer query = prepared_row(quantizer, rows, 0);
  for (std::size_t slot = 0; slot < rows.size(); ++slot)
    CHECK_EQUAL(distance_of(codes, query.data(), slot), true_distance(rows, 0, slot));
}

TEST(quantizer_clips_few_far_values_to_keep_the_others_fine) {
  std::vector<float> values = normal_values(2000, 16, 1);
  values[5] = 1e6f;
  const Matrix rows = matrix_of({16, Metric::kL2, DType::kFloat32}, values);
  const Quantizer quantizer(rows, 8, 5);
  const Codes codes = encoded(quantizer, rows);
  const core::Buffer query = prepared_row(quantizer, rows, 1);
  std::vector<double> exact, coded;
  for (std::size_t slot = 1; slot < rows.size(); ++slot) {
    exact.push_back(true_distance(rows, 1, slot));
    coded.push_back(distance_of(codes, query.data(), slot));
  }
  CHECK(correlation(exact, coded) > 0.999);
}

bool same_codes(const Codes& a, const Codes& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * a.stride()) == 0;
}

TEST(quantizer_makes_the_same_codes_on_any_number_of_threads_and_in_any_parts) {
  for_each_format(40, [](const RowFormat& format) {
    const Matrix rows = normal_rows(format, 1500, 1);
    const Quantizer quantizer(rows, 8, 5);
    const Codes whole = encoded(quantizer, rows, 1);
    CHECK(same_codes(encoded(quantizer, rows, 4), whole));
    CHECK(same_codes(encoded(Quantizer(rows, 8, 5), rows), whole));
    Codes parts(quantizer.code_format());
    quantizer.encode(rows, 0, 1, 2, {}, parts);
    quantizer.encode(rows, 1, 1000, 2, {}, parts);
    quantizer.encode(rows, 1001, 499, 2, {}, parts);
    CHECK(same_codes(parts, whole));
  });
}

TEST(quantizer_comes_back_from_its_bytes) {
  for_each_format(40, [](const RowFormat& format) {
    const Matrix rows = normal_rows(format, 300, 1);
    const Quantizer quantizer(rows, format.dtype == DType::kFloat16 ? 4 : 8, 5);
    storage::ByteWriter writer;
    quantizer.write(writer);
    storage::ByteReader reader(writer.data(), writer.size(), "quantizer");
    const Quantizer again(format, reader);
    reader.finish();
    CHECK(same_codes(encoded(again, rows), encoded(quantizer, rows)));
    storage::ByteWriter second;
    again.write(second);
    CHECK(second.size() == writer.size() && std::memcmp(second.data(), writer.data(), writer.size()) == 0);
  });
}

TEST(quantizer_refuses_bytes_that_it_cannot_have_written) {
  const Matrix rows = normal_rows({3, Metric::kL2, DType::kFloat32}, 300, 1);
  storage::ByteWriter writer;
  Quantizer(rows, 8, 5).write(writer);
  const std::vector<std::byte> good(writer.data(), writer.data() + writer.size());
  const auto read = [](const RowFormat& format, const std::vector<std::byte>& bytes) {
    storage::ByteReader reader(bytes.data(), bytes.size(), "quantizer");
    Quantizer(format, reader);
  };
  read(rows.format(), good);
  for (std::size_t size = 0; size < good.size(); ++size) {
    if (size == good.size() - 6) continue;  // as files before 4 bits end
    const std::vector<std::byte> cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK_THROWS(CorruptIndexError, "quantizer", read(rows.format(), cut));
  }
  CHECK_THROWS(CorruptIndexError, "dimensions", read({4, Metric::kL2, DType::kFloat32}, good));
  const auto with = [&](std::size_t from_end, const auto& value) {
    std::vector<std::byte> bytes = good;
    std::memcpy(bytes.data() + bytes.size() - from_end, &value, sizeof value);
    return bytes;
  };
  constexpr std::size_t kDeviation = 5, kBits = 6, kStep = 10;  // from the end
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const float bad : {nan, std::numeric_limits<float>::infinity(), 0.0f, -1.0f})
    CHECK_THROWS(CorruptIndexError, "step", read(rows.format(), with(kStep, bad)));
  for (const float bad : {nan, -1.0f})
    CHECK_THROWS(CorruptIndexError, "deviation", read(rows.format(), with(kDeviation, bad)));
  CHECK_THROWS(CorruptIndexError, "5 bits", read(rows.format(), with(kBits, std::uint8_t{5})));
}

// Under ip nothing is projected, and a query would not fit its codes.
TEST(quantizer_refuses_a_projection_under_ip) {
  const RowFormat format{3, Metric::kIp, DType::kFloat32};
  storage::ByteWriter writer;
  Quantizer(normal_rows(format, 300, 1), 8, 5).write(writer);
  std::vector<std::byte> bytes(writer.data(), writer.data() + writer.size());
  bytes.back() = std::byte{1};
  storage::ByteWriter projection;
  Projection(3, std::vector<float>{1, 0, 0}).write(projection);
  bytes.insert(bytes.end(), projection.data(), projection.data() + projection.size());
  storage::ByteReader reader(bytes.data(), bytes.size(), "quantizer");
  CHECK_THROWS(CorruptIndexError, "projects under ip", Quantizer(format, reader));
}

TEST(quantizer_of_files_before_4_bits_is_of_8_and_knows_no_least_distance) {
  const Matrix rows = normal_rows({3, Metric::kL2, DType::kFloat32}, 300, 1);
  storage::ByteWriter writer;
  Quantizer(rows, 8, 5).write(writer);
  storage::ByteReader reader(writer.data(), writer.size() - 6, "quantizer");
  const Quantizer quantizer(rows.format(), reader);
  CHECK_EQUAL(quantizer.bits(), 8);
  CHECK(quantizer.least_distance(1.0f) < 0.0f);
}

TEST(quantizer_leaves_codes_as_they_were_when_cancelled) {
  struct Cancelled {};
  const Matrix rows = normal_rows({8, Metric::kL2, DType::kFloat32}, 2000, 1);
  const Quantizer quantizer(rows, 8, 5);
  Codes codes(quantizer.code_format());
  quantizer.encode(rows, 0, 100, 1, {}, codes);
  bool thrown = false;
  try {
    quantizer.encode(rows, 100, 1900, 2, [](std::size_t, std::size_t) { throw Cancelled(); }, codes);
  } catch (const Cancelled&) {
    thrown = true;
  }
  CHECK(thrown);
  CHECK_EQUAL(codes.size(), 100u);
}

TEST(quantizer_stands_values_at_the_end_of_their_range) {
  const float huge = std::numeric_limits<float>::max(), tiny = std::numeric_limits<float>::denorm_min();
  for (Metric metric : {Metric::kL2, Metric::kIp}) {
    for (const std::vector<float>& values : {std::vector<float>{huge, -huge, -huge, huge, 0, 0},
                                             std::vector<float>{tiny, 0, 0, 0, 0, tiny}, std::vector<float>{7, 7}}) {
      const Matrix rows = matrix_of({2, metric, DType::kFloat32}, values);
      const Quantizer quantizer(rows, 8, 5);
      const Codes codes = encoded(quantizer, rows);
      for (std::size_t slot = 0; slot < rows.size(); ++slot)
        CHECK(std::isfinite(distance_of(codes, prepared_row(quantizer, rows, slot).data(), slot)));
    }
  }
}

}  // namespace
}  // namespace hopspan::quantize::test
