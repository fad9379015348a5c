// Which codes are chosen for rows of several kinds.
#include <cstring>

#include "quantize/choose.h"
#include "quantize/low_rank.h"
#include "quantize/rows.h"
#include "test.h"

namespace hopspan::quantize::test {
namespace {

constexpr std::size_t kRows = 3000;

Quantizer chosen(Metric metric, std::size_t dim, const std::vector<float>& values, std::size_t threads = 2) {
  return choose_quantizer(matrix_of({dim, metric, DType::kFloat32}, values), threads, 5);
}

void check_chosen(const Quantizer& quantizer, std::size_t dim, int bits) {
  CHECK_EQUAL(quantizer.code_format().dim, dim);
  CHECK_EQUAL(quantizer.bits(), bits);
}

TEST(choice_is_8_bits_where_rows_fit_a_cache_line) {
  check_chosen(chosen(Metric::kL2, 64, low_rank_values(kRows, 64, 50, 1)), 64, 8);
}

TEST(choice_is_4_bits_where_they_tell_rows_apart) {
  std::vector<float> even(kRows * 256);
  for (std::size_t i = 0; i < even.size(); ++i) even[i] = static_cast<float>(core::random_unit(1, i) - 0.5);
  for (const Metric metric : kVectorMetrics) check_chosen(chosen(metric, 256, even), 256, 4);
}

TEST(choice_is_a_projection_where_rows_vary_in_few_directions) {
  for (const Metric metric : {Metric::kL2, Metric::kCosine})
    check_chosen(chosen(metric, 300, low_rank_values(kRows, 300, 12, 1)), 64, 8);
  CHECK_EQUAL(chosen(Metric::kIp, 300, low_rank_values(kRows, 300, 12, 1)).code_format().dim, 300u);
}

TEST(choice_is_the_same_on_any_number_of_threads_and_comes_back_from_its_bytes) {
  const std::vector<float> values = low_rank_values(kRows, 300, 12, 1);
  const auto bytes_of = [](const Quantizer& quantizer) {
    storage::ByteWriter writer;
    quantizer.write(writer);
    return std::vector<std::byte>(writer.data(), writer.data() + writer.size());
  };
  const std::vector<std::byte> bytes = bytes_of(chosen(Metric::kL2, 300, values, 1));
  CHECK(bytes_of(chosen(Metric::kL2, 300, values, 3)) == bytes);
  storage::ByteReader reader(bytes.data(), bytes.size(), "quantizer");
  const Quantizer again({300, Metric::kL2, DType::kFloat32}, reader);
  reader.finish();
  check_chosen(again, 64, 8);
  CHECK(bytes_of(again) == bytes);
}

TEST(codes_of_a_projection_keep_the_order_of_distances) {
  const std::vector<float> values = low_rank_values(kRows, 300, 12, 1);
  const vectors::Matrix rows = matrix_of({300, Metric::kL2, DType::kFloat32}, values);
  const Quantizer quantizer = choose_quantizer(rows, 1, 5);
  const Codes codes = encoded(quantizer, rows);
  const core::Buffer query = prepared_row(quantizer, rows, 7);
  std::vector<double> exact, coded;
  std::size_t below = 0;
  for (std::size_t slot = 0; slot < rows.size(); ++slot) {
    double sum = 0;
    for (std::size_t j = 0; j < 300; ++j) sum += std::pow(values[7 * 300 + j] - values[slot * 300 + j], 2);
    exact.push_back(sum);
    coded.push_back(distance_of(codes, query.data(), slot));
    below += sum < quantizer.least_distance(static_cast<float>(coded.back())) ? 1 : 0;
  }
  CHECK(correlation(exact, coded) > 0.999);
  CHECK(below < kRows / 50);
}

}  // namespace
}  // namespace hopspan::quantize::test
