#include "index/exact/margin.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "vectors/convert.h"
#include "vectors/elements.h"

namespace hopspan::index::exact {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kTinyProduct = 0x1.0p-125;  // what one product can lose to underflow, and more

bool good(double norm) { return norm >= kSmallestNorm && norm <= kLargestNorm; }

double product_slack(double query_norm, const NormRange& rows, double gamma_value) {
  if (!(rows.largest <= kLargestNorm && query_norm <= kLargestNorm)) return kInfinity;
  return gamma_value * query_norm * rows.largest;
}

}  // namespace

double gamma(std::size_t dim) {
  const double terms = (static_cast<double>(dim) + 16.0) * 0x1.0p-24;
  return terms / (1.0 - terms);
}

NormRange norm_range(const vectors::Matrix& rows, std::size_t begin, std::size_t end) {
  const vectors::RowFormat& format = rows.format();
  std::vector<float> elements(format.metric == Metric::kCosine ? 0 : format.dim);
  NormRange range{kInfinity, 0.0};
  for (std::size_t slot = begin; slot < end; ++slot) {
    double norm;
    if (format.metric == Metric::kCosine) {
      norm = 1.0 / static_cast<double>(vectors::row_scale(format, rows.row(slot)));
    } else {
      vectors::row_to_floats(format, rows.row(slot), elements.data());
      norm = std::sqrt(vectors::squared_norm_float32(elements.data(), format.dim));
    }
    range.smallest = norm >= 0.0 ? std::min(range.smallest, norm) : 0.0;
    range.largest = norm >= 0.0 ? std::max(range.largest, norm) : kInfinity;
  }
  return range;
}

float Margin::limit(float kth) const {
  const double limit = kth + relative_ * std::abs(static_cast<double>(kth)) + absolute_;
  if (!(limit <= std::numeric_limits<float>::max())) return std::numeric_limits<float>::infinity();
  const float rounded = static_cast<float>(limit);
  return rounded >= limit ? rounded : std::nextafter(rounded, std::numeric_limits<float>::infinity());
}

Margin kernel_margin(const vectors::RowFormat& format, double query_norm, const NormRange& rows) {
  const double g = gamma(format.dim);
  const double tiny = static_cast<double>(format.dim) * kTinyProduct;
  switch (format.metric) {
    case Metric::kL2:
      return {3.0 * g, tiny};
    case Metric::kIp:
      return {0.0, 2.0 * (product_slack(query_norm, rows, g) + g) + tiny};
    case Metric::kCosine:
      return {0.0, good(query_norm) && good(rows.smallest) && good(rows.largest) ? 4.0 * g : kInfinity};
    case Metric::kHamming:
      break;
  }
  return {};
}

Margin product_margin(const vectors::RowFormat& format, double query_norm, const NormRange& rows) {
  const double g = gamma(format.dim);
  const double tiny = static_cast<double>(format.dim) * kTinyProduct;
  switch (format.metric) {
    case Metric::kL2:
      return {0.0, query_norm <= kLargestNorm ? g * query_norm * query_norm + tiny : kInfinity};
    case Metric::kIp:
      // 1 - <q, x> in double precision no longer tells apart products below its last bit.
      return {0.0, 2.0 * (product_slack(query_norm, rows, g) + 0x1.0p-50) + tiny};
    case Metric::kCosine:
      return {0.0, 4.0 * g};
    case Metric::kHamming:
      break;
  }
  return {};
}

}  // namespace hopspan::index::exact
