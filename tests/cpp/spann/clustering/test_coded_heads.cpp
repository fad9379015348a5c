// Planted bug that turns these tests red: nothing is compared again.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/random.h"
#include "spann/clustering/coded_heads.h"
#include "test.h"

using hopspan::Metric;
namespace spann = hopspan::spann;

namespace {

constexpr std::size_t kHeads = 3000, kDim = 37, kQueries = 20;

// Far from the origin, and some of them longer than others.
std::vector<float> vectors(std::size_t count, std::uint64_t seed) {
  std::vector<float> all(count * kDim);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const double length = 1.0 + static_cast<double>(i / kDim % 7);
    all[i] = static_cast<float>(5.0 + length * (hopspan::core::random_unit(seed, i) - 0.5));
  }
  return all;
}

spann::CodedHeads coded(const std::vector<float>& heads, Metric metric) {
  return spann::CodedHeads(spann::encode_heads(heads.data(), heads.size() / kDim, kDim), metric);
}

// Of all decoded heads, in double.
std::vector<double> distances(const spann::CodedHeads& heads, const float* query, Metric metric) {
  std::vector<double> out;
  std::vector<float> head(kDim);
  for (std::size_t h = 0; h < heads.count(); ++h) {
    heads.decode(h, head.data());
    double product = 0.0, square = 0.0;
    for (std::size_t d = 0; d < kDim; ++d) {
      product += static_cast<double>(query[d]) * static_cast<double>(head[d]);
      square += static_cast<double>(head[d]) * static_cast<double>(head[d]);
    }
    if (metric == Metric::kL2) product = 2.0 * product - square;
    if (metric == Metric::kCosine) product /= std::sqrt(square);
    out.push_back(-product);
  }
  return out;
}

}  // namespace

TEST(coded_heads_are_the_heads_but_for_a_step_of_each) {
  const std::vector<float> heads = vectors(kHeads, 1);
  const spann::CodedHeads made = coded(heads, Metric::kL2);
  CHECK_EQUAL(made.count(), kHeads);
  std::vector<float> head(kDim);
  for (std::size_t h = 0; h < kHeads; ++h) {
    made.decode(h, head.data());
    const float widest = 0.5F * static_cast<float>(1 + h % 7) + 0.2F;
    for (std::size_t d = 0; d < kDim; ++d) CHECK(std::fabs(head[d] - heads[h * kDim + d]) <= 0.6F * widest / 127.0F);
  }
}

TEST(coded_heads_that_are_nearest_are_found_in_order) {
  const std::vector<float> heads = vectors(kHeads, 1), queries = vectors(kQueries, 2);
  for (const Metric metric : {Metric::kL2, Metric::kIp, Metric::kCosine}) {
    const spann::CodedHeads made = coded(heads, metric);
    spann::CodedHeads::Work work;
    std::size_t found = 0;
    for (std::size_t q = 0; q < kQueries; ++q) {
      const std::vector<double> all = distances(made, &queries[q * kDim], metric);
      std::vector<double> sorted = all;
      std::sort(sorted.begin(), sorted.end());
      std::vector<spann::Nearest> near(100);
      made.probe(&queries[q * kDim], near.size(), work, near.data());
      for (std::size_t i = 0; i < near.size(); ++i) {
        CHECK(i == 0 || near[i - 1].distance <= near[i].distance);
        CHECK(std::fabs(static_cast<double>(near[i].distance) - all[near[i].center]) < 1e-3);
        if (all[near[i].center] <= sorted[near.size() - 1]) ++found;
      }
    }
    CHECK(found >= kQueries * 99);
  }
}

TEST(coded_heads_are_all_found_when_all_are_asked_for) {
  const std::vector<float> heads = vectors(50, 1);
  const spann::CodedHeads made = coded(heads, Metric::kCosine);
  spann::CodedHeads::Work work;
  std::vector<spann::Nearest> near(50);
  made.probe(heads.data(), 50, work, near.data());
  std::vector<bool> met(50, false);
  for (const spann::Nearest& one : near) met[one.center] = true;
  CHECK(std::all_of(met.begin(), met.end(), [](bool one) { return one; }));
}

TEST(coded_heads_at_the_end_of_the_range_stay_finite) {
  constexpr float kMost = std::numeric_limits<float>::max();
  std::vector<float> heads(2 * kDim, kMost);
  std::fill_n(heads.begin(), kDim, -kMost);
  for (const Metric metric : {Metric::kL2, Metric::kIp, Metric::kCosine}) {
    const spann::CodedHeads made = coded(heads, metric);
    spann::CodedHeads::Work work;
    spann::Nearest near[2];
    made.probe(&heads[kDim], 2, work, near);
    CHECK(near[0].center != near[1].center);
    for (const spann::Nearest& one : near) CHECK(std::isfinite(one.distance));
    std::vector<float> head(kDim);
    made.decode(1, head.data());
    for (const float value : head) CHECK(std::isfinite(value));
  }
}
