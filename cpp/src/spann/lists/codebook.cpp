#include "spann/lists/codebook.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/threads.h"

namespace hopspan::spann {
namespace {

constexpr std::size_t kRounds = 8;
constexpr std::size_t kPasses = 4;  // over the codes, while errors along the direction still shrink

struct Pair {
  float first;
  float second;
};

// The dimensions of one code; zero behind the last one.
Pair part(const float* vector, std::size_t dim, std::size_t code) {
  const std::size_t d = 2 * code;
  return {d < dim ? vector[d] : 0.0F, d + 1 < dim ? vector[d + 1] : 0.0F};
}

// costs: squared distances to the 16 words.
void squared_distances(Pair x, const float* words, float* costs) {
  for (std::size_t w = 0; w < kWords; ++w) {
    const float a = x.first - words[w], b = x.second - words[kWords + w];
    costs[w] = a * a + b * b;
  }
}

std::uint8_t smallest(const float* costs) {
  std::size_t best = 0;
  for (std::size_t w = 1; w < kWords; ++w) best = costs[w] < costs[best] ? w : best;
  return static_cast<std::uint8_t>(best);
}

using Ordered = std::vector<std::pair<float, Pair>>;

void sort_by_key(Ordered& points) {
  std::sort(points.begin(), points.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
}

// Words spread over the points: four strata of the first dimension, four of the second within each.
void spread_words(const std::vector<Pair>& points, float* words) {
  constexpr std::size_t kSide = 4;
  const std::size_t count = points.size();
  Ordered ordered;
  for (const Pair& x : points) ordered.emplace_back(x.first, x);
  sort_by_key(ordered);
  for (std::size_t s = 0; s < kSide; ++s) {
    Ordered stratum;
    const std::size_t begin = s * count / kSide;
    const std::size_t end = std::max(begin + 1, (s + 1) * count / kSide);
    for (std::size_t i = begin; i < end; ++i) stratum.emplace_back(ordered[i].second.second, ordered[i].second);
    sort_by_key(stratum);
    for (std::size_t t = 0; t < kSide; ++t) {
      const Pair& x = stratum[(2 * t + 1) * stratum.size() / (2 * kSide)].second;
      words[s * kSide + t] = x.first;
      words[kWords + s * kSide + t] = x.second;
    }
  }
}

void train_words(const std::vector<Pair>& points, float* words) {
  spread_words(points, words);
  for (std::size_t round = 0; round < kRounds; ++round) {
    double sums[2 * kWords] = {};
    std::size_t sizes[kWords] = {};
    for (const Pair& x : points) {
      float costs[kWords];
      squared_distances(x, words, costs);
      const std::size_t w = smallest(costs);
      sums[w] += static_cast<double>(x.first);
      sums[kWords + w] += static_cast<double>(x.second);
      ++sizes[w];
    }
    for (std::size_t w = 0; w < kWords; ++w) {
      if (sizes[w] == 0) continue;
      words[w] = static_cast<float>(sums[w] / static_cast<double>(sizes[w]));
      words[kWords + w] = static_cast<float>(sums[kWords + w] / static_cast<double>(sizes[w]));
    }
  }
}

}  // namespace

Codebook::Codebook(std::size_t dim, std::vector<float> words) : dim_(dim), words_(std::move(words)) {}

Codebook Codebook::train(const float* residuals, std::size_t count, std::size_t dim, std::size_t threads,
                         const Progress& progress) {
  std::vector<float> words(padded(dim) / 2 * 2 * kWords, 0.0F);
  core::parallel_for((dim + 1) / 2, 1, threads, progress, [&](std::size_t begin, std::size_t end, std::size_t) {
    std::vector<Pair> points(count);
    for (std::size_t code = begin; code < end; ++code) {
      for (std::size_t i = 0; i < count; ++i) points[i] = part(residuals + i * dim, dim, code);
      train_words(points, &words[code * 2 * kWords]);
    }
  });
  return Codebook(dim, std::move(words));
}

void Codebook::encode(const float* residual, const float* direction, float stretch, std::uint8_t* codes) const {
  float along = 0.0F;  // the error along the direction
  const auto error_along = [&](std::size_t code, Pair x, Pair u) {
    const float* const words = &words_[code * 2 * kWords];
    return (x.first - words[codes[code]]) * u.first + (x.second - words[kWords + codes[code]]) * u.second;
  };
  for (std::size_t code = 0; code < this->codes(); ++code) {
    const Pair x = part(residual, dim_, code);
    float costs[kWords];
    squared_distances(x, &words_[code * 2 * kWords], costs);
    codes[code] = smallest(costs);
    if (direction != nullptr) along += error_along(code, x, part(direction, dim_, code));
  }
  bool changed = direction != nullptr;
  for (std::size_t pass = 0; pass < kPasses && changed; ++pass) {
    changed = false;
    for (std::size_t code = 0; code < this->codes(); ++code) {
      const float* const words = &words_[code * 2 * kWords];
      const Pair x = part(residual, dim_, code), u = part(direction, dim_, code);
      const float others = along - error_along(code, x, u);
      float costs[kWords];
      for (std::size_t w = 0; w < kWords; ++w) {
        const float a = x.first - words[w], b = x.second - words[kWords + w];
        const float total = others + a * u.first + b * u.second;
        costs[w] = a * a + b * b + stretch * total * total;
      }
      const std::uint8_t best = smallest(costs);
      if (!(costs[best] < costs[codes[code]])) continue;
      codes[code] = best;
      along = others + error_along(code, x, u);
      changed = true;
    }
  }
}

void Codebook::decode(const std::uint8_t* codes, float* residual) const {
  for (std::size_t d = 0; d < dim_; ++d) residual[d] = words_[d / 2 * 2 * kWords + d % 2 * kWords + codes[d / 2]];
}

void Codebook::multiply(const float* query, float weight, std::vector<float>& values) const {
  values.resize(codes() * kWords);
  for (std::size_t code = 0; code < codes(); ++code) {
    const float* const words = &words_[code * 2 * kWords];
    const Pair q = part(query, dim_, code);
    float* const out = &values[code * kWords];
    const float a = q.first * weight, b = q.second * weight;
    for (std::size_t w = 0; w < kWords; ++w) out[w] = a * words[w] + b * words[kWords + w];
  }
}

}  // namespace hopspan::spann
