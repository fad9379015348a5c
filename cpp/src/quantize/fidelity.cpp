#include "quantize/fidelity.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "distance/kernels.h"
#include "quantize/quantizer.h"
#include "vectors/query.h"

namespace hopspan::quantize {
namespace {

constexpr std::size_t kCompared = 64;  // rows, each with all of the sample
constexpr std::size_t kNear = 20;
constexpr std::size_t kNearest = 10;

struct Pair {
  float exact, coded;  // distances; squared, but under ip
};

struct Compared {
  float self;               // what codes make of the distance of a row to itself
  std::vector<Pair> pairs;  // with every other row, the kNear nearest first and in order
};

Compared compare(const Quantizer& quantizer, const Codes& codes, const Sample& sample, std::size_t row) {
  const distance::OneFn exact = vectors::kernel_of(codes.format().metric, DType::kFloat32).one;
  std::vector<std::byte> query(codes.format().query_bytes());
  std::vector<float> values(sample.row(row), sample.row(row) + sample.dim);
  quantizer.prepare_values(values, query.data());
  Compared compared;
  std::vector<Pair>& pairs = compared.pairs;
  pairs.reserve(sample.size);
  for (std::size_t other = 0; other < sample.size; ++other) {
    const float coded =
        quantizer.squared_distance(codes.kernel().one(query.data(), codes.row(other), codes.kernel_dim()));
    if (other == row) {
      compared.self = coded;
    } else {
      pairs.push_back({exact(sample.row(row), sample.row(other), sample.dim), coded});
    }
  }
  std::partial_sort(pairs.begin(), pairs.begin() + kNear, pairs.end(),
                    [](const Pair& a, const Pair& b) { return a.exact < b.exact; });
  return compared;
}

float quantile(std::vector<float> values, std::size_t percent) {
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(values.size() * percent / 100);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

// Two rounding errors are added to the difference of a query and a row. Far apart, what counts is their part along the
// difference; close together, their own length, which rows compared with themselves tell. Rows of 8 bits have the same
// error as queries, so that it vanishes there: it is what rounding comes to in the mean.
float learn_deviation(const Quantizer& quantizer, const std::vector<Compared>& compared) {
  std::vector<float> overstated, own;
  for (const Compared& row : compared) {
    own.push_back(std::sqrt(row.self));
    for (std::size_t i = 0; i < kNear; ++i) {
      const float deviation = (row.pairs[i].coded - row.pairs[i].exact) / std::sqrt(row.pairs[i].coded);
      if (std::isfinite(deviation)) overstated.push_back(deviation);
    }
  }
  if (overstated.empty()) return std::numeric_limits<float>::infinity();
  const CodeFormat format = quantizer.code_format();
  const float rounding = format.bits == 8 ? quantizer.squared_distance(static_cast<float>(format.dim) / 6.0f) : 0.0f;
  return std::max({quantile(std::move(overstated), 99), quantile(std::move(own), 90), std::sqrt(rounding)});
}

}  // namespace

Fidelity measure_fidelity(const Quantizer& quantizer, const Sample& sample) {
  Fidelity fidelity;
  if (sample.size <= kNear) return fidelity;
  Codes codes(quantizer.code_format());
  codes.resize(sample.size);
  for (std::size_t i = 0; i < sample.size; ++i) {
    std::vector<float> values(sample.row(i), sample.row(i) + sample.dim);
    quantizer.encode_values(values, codes.mutable_row(i));
  }
  std::vector<Compared> compared;
  for (std::size_t row = 0; row < sample.size; row += sample.size / kCompared + 1)
    compared.push_back(compare(quantizer, codes, sample, row));
  if (codes.format().metric != Metric::kIp) fidelity.deviation = learn_deviation(quantizer, compared);
  for (const Compared& row : compared) {
    const std::vector<Pair>& pairs = row.pairs;
    const auto by_code = [](const Pair& a, const Pair& b) { return a.coded < b.coded; };
    const float last = std::max_element(pairs.begin(), pairs.begin() + kNearest, by_code)->coded;
    fidelity.candidates += static_cast<double>(
        std::count_if(pairs.begin(), pairs.end(), [&](const Pair& pair) { return pair.coded <= last; }));
  }
  fidelity.candidates /= static_cast<double>(compared.size());
  return fidelity;
}

}  // namespace hopspan::quantize
