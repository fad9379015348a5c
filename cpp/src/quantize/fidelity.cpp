#include "quantize/fidelity.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "distance/kernels.h"
#include "quantize/quantizer.h"

namespace hopspan::quantize {
namespace {

constexpr std::size_t kCompared = 64;  // rows, each with all of the sample
constexpr std::size_t kNear = 20;
constexpr std::size_t kNearest = 10;

struct Pair {
  float exact, coded;  // distances; squared, but under ip
};

// A row of the sample with every other one, the kNear nearest first and in order.
std::vector<Pair> compare(const Quantizer& quantizer, const Codes& codes, const Sample& sample, std::size_t row) {
  const auto metric = static_cast<int>(codes.format().metric);
  const distance::OneFn exact = distance::kernels().kernels[metric][static_cast<int>(DType::kFloat32)].one;
  std::vector<std::byte> query(codes.format().query_bytes());
  std::vector<float> values(sample.row(row), sample.row(row) + sample.dim);
  quantizer.prepare_values(values, query.data());
  std::vector<Pair> pairs;
  pairs.reserve(sample.size);
  for (std::size_t other = 0; other < sample.size; ++other) {
    if (other == row) continue;
    const float coded = codes.kernel().one(query.data(), codes.row(other), codes.kernel_dim());
    pairs.push_back({exact(sample.row(row), sample.row(other), sample.dim), quantizer.squared_distance(coded)});
  }
  std::partial_sort(pairs.begin(), pairs.begin() + kNear, pairs.end(),
                    [](const Pair& a, const Pair& b) { return a.exact < b.exact; });
  return pairs;
}

float learn_deviation(const std::vector<std::vector<Pair>>& compared) {
  std::vector<float> overstated;
  for (const std::vector<Pair>& pairs : compared) {
    for (std::size_t i = 0; i < kNear; ++i) {
      const float deviation = (pairs[i].coded - pairs[i].exact) / std::sqrt(pairs[i].coded);
      if (std::isfinite(deviation)) overstated.push_back(deviation);
    }
  }
  if (overstated.empty()) return std::numeric_limits<float>::infinity();
  const auto high = overstated.begin() + static_cast<std::ptrdiff_t>(overstated.size() * 99 / 100);
  std::nth_element(overstated.begin(), high, overstated.end());
  return std::max(*high, 0.0f);
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
  std::vector<std::vector<Pair>> compared;
  for (std::size_t row = 0; row < sample.size; row += sample.size / kCompared + 1)
    compared.push_back(compare(quantizer, codes, sample, row));
  if (codes.format().metric != Metric::kIp) fidelity.deviation = learn_deviation(compared);
  for (const std::vector<Pair>& pairs : compared) {
    const auto by_code = [](const Pair& a, const Pair& b) { return a.coded < b.coded; };
    const float last = std::max_element(pairs.begin(), pairs.begin() + kNearest, by_code)->coded;
    fidelity.candidates += static_cast<double>(
        std::count_if(pairs.begin(), pairs.end(), [&](const Pair& pair) { return pair.coded <= last; }));
  }
  fidelity.candidates /= static_cast<double>(compared.size());
  return fidelity;
}

}  // namespace hopspan::quantize
