#include <cmath>
#include <limits>

#include "index/exact/margin.h"
#include "index/samples.h"
#include "test.h"

namespace {

using namespace hopspan;
using index::exact::kernel_margin;
using index::exact::Margin;
using index::exact::NormRange;
using index::exact::product_margin;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr NormRange kOrdinary{1.0, 2.0};

vectors::RowFormat format(Metric metric) { return {100, metric, DType::kFloat32}; }

}  // namespace

TEST(index_exact_margin_rounds_its_limit_up) {
  CHECK_EQUAL(Margin(0.0, 0.0).limit(1.5F), 1.5F);
  CHECK_EQUAL(Margin(0.0, 1e-12).limit(1.5F), std::nextafter(1.5F, 2.0F));
  CHECK_EQUAL(Margin(1e-12, 0.0).limit(-1.5F), std::nextafter(-1.5F, 2.0F));
  CHECK_EQUAL(Margin(0.0, 0x1.0p-23).limit(1.0F), std::nextafter(1.0F, 2.0F));
}

TEST(index_exact_margin_without_a_bound_rules_nothing_out) {
  CHECK_EQUAL(Margin(1e-3, 0.0).limit(std::numeric_limits<float>::max()), kInfinity);
  CHECK_EQUAL(Margin(0.0, 0.0).limit(kInfinity), kInfinity);
  CHECK_EQUAL(Margin(1e-3, 0.0).limit(kInfinity), kInfinity);
  CHECK_EQUAL(Margin(0.0, std::numeric_limits<double>::infinity()).limit(-kInfinity), kInfinity);
}

TEST(index_exact_margin_is_unbounded_where_float32_overflows_or_underflows) {
  CHECK(product_margin(format(Metric::kL2), 1e17, kOrdinary).limit(1.0F) < kInfinity);
  CHECK_EQUAL(product_margin(format(Metric::kL2), 1e19, kOrdinary).limit(1.0F), kInfinity);
  for (const auto margin : {kernel_margin, product_margin}) {
    CHECK(margin(format(Metric::kIp), 1e10, {1.0, 1e10}).limit(1.0F) < kInfinity);
    CHECK_EQUAL(margin(format(Metric::kIp), 1.0, {1.0, 1e19}).limit(1.0F), kInfinity);
    CHECK_EQUAL(margin(format(Metric::kIp), 1e19, kOrdinary).limit(1.0F), kInfinity);
  }
  CHECK(kernel_margin(format(Metric::kCosine), 1.0, kOrdinary).limit(1.0F) < kInfinity);
  for (const double extreme : {1e-20, 1e20}) {
    CHECK_EQUAL(kernel_margin(format(Metric::kCosine), extreme, kOrdinary).limit(1.0F), kInfinity);
    CHECK_EQUAL(kernel_margin(format(Metric::kCosine), 1.0, {extreme, 1.0}).limit(1.0F), kInfinity);
    CHECK_EQUAL(kernel_margin(format(Metric::kCosine), 1.0, {1.0, extreme}).limit(1.0F), kInfinity);
  }
}

// What is lost to underflow is not relative to anything.
TEST(index_exact_margin_allows_for_underflow) {
  for (const auto margin : {kernel_margin, product_margin}) {
    CHECK(margin(format(Metric::kL2), 0.0, kOrdinary).limit(0.0F) >= 100 * 0x1.0p-126F);
  }
}

TEST(index_exact_margin_of_bits_is_none) {
  const vectors::RowFormat bits{100, Metric::kHamming, DType::kBinary};
  CHECK_EQUAL(kernel_margin(bits, 0.0, {}).limit(7.0F), 7.0F);
}

TEST(index_exact_norm_range_covers_the_rows) {
  for (const Metric metric : {Metric::kIp, Metric::kCosine}) {
    vectors::Matrix rows({2, metric, DType::kFloat32});
    const float values[] = {3, 4, 0.6F, 0.8F, 30, 40};
    rows.append({values, 3, 2, DType::kFloat32});
    const NormRange all = index::exact::norm_range(rows, 0, 3);
    CHECK(std::abs(all.smallest - 1.0) < 1e-6 && std::abs(all.largest - 50.0) < 1e-4);
    CHECK(std::abs(index::exact::norm_range(rows, 0, 2).largest - 5.0) < 1e-5);
  }
}
