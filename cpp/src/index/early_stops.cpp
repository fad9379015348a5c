#include "index/early_stops.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "hopspan/error.h"

namespace hopspan::index {
namespace {

constexpr std::uint32_t kRanks[] = {1, 10, 100};
constexpr double kLeastShare = 1.0 / 256;  // of the median distance of the k-th, in place of that where it is less
constexpr float kLargestFactor = 1024.0f;
constexpr std::size_t kHalvings = 24;
constexpr double kMore = 0.2;  // of what `ef` exceeds k by, in addition: queries are often easier than the sample

// Where x lies between a and b, on a scale of ratios.
double share_between(double x, double a, double b) { return std::log(x / a) / std::log(b / a); }

// The nodes that a query expands at most when it stops at `factor`. ratios: of its distances to that of the k-th.
double expanded(const std::vector<float>& ratios, float factor, std::size_t most) {
  const auto end = std::upper_bound(ratios.begin(), ratios.end(), factor);
  return static_cast<double>(std::min(static_cast<std::size_t>(end - ratios.begin()), most));
}

float factor_for(const std::vector<std::vector<float>>& ratios, std::size_t k, std::size_t ef) {
  const double wanted = static_cast<double>(ef) + kMore * static_cast<double>(ef - k);
  float low = 1.0f, high = kLargestFactor;
  for (std::size_t i = 0; i < kHalvings; ++i) {
    const float middle = std::sqrt(low * high);
    double sum = 0.0;
    for (const std::vector<float>& query : ratios) sum += expanded(query, middle, EarlyStops::kSpread * ef);
    (sum < wanted * static_cast<double>(ratios.size()) ? low : high) = middle;
  }
  return high;
}

}  // namespace

EarlyStops::EarlyStops(const std::vector<std::vector<float>>& walks) {
  for (const std::uint32_t k : kRanks) {
    if (walks[0].size() < kSpread * k) break;
    ranks_.push_back(learn(walks, k));
    if (!(ranks_.back().least > 0.0f)) {
      ranks_.clear();
      break;
    }
  }
}

EarlyStops::Rank EarlyStops::learn(const std::vector<std::vector<float>>& walks, std::uint32_t k) {
  std::vector<float> last;
  for (const std::vector<float>& walk : walks) last.push_back(walk[k - 1]);
  const auto middle = last.begin() + static_cast<std::ptrdiff_t>(last.size() / 2);
  std::nth_element(last.begin(), middle, last.end());
  Rank rank{k, static_cast<float>(*middle * kLeastShare), {}};
  if (!(rank.least > 0.0f)) return rank;
  std::vector<std::vector<float>> ratios = walks;
  for (std::vector<float>& query : ratios) {
    const float unit = std::max(query[k - 1], rank.least);
    for (float& distance : query) distance /= unit;
  }
  for (std::size_t ef = k; kSpread * ef <= walks[0].size(); ef *= 2) rank.factors.push_back(factor_for(ratios, k, ef));
  return rank;
}

float EarlyStops::factor(const Rank& rank, double ef) {
  const double place = std::max(std::log2(ef / rank.k), 0.0);
  const std::size_t last = rank.factors.size() - 1;
  const std::size_t i = std::min(static_cast<std::size_t>(place), last == 0 ? 0 : last - 1);
  const double low = rank.factors[i], high = rank.factors[std::min(i + 1, last)];
  const double between = low * std::pow(high / low, place - static_cast<double>(i));
  return static_cast<float>(std::clamp(between, 1.0, double{kLargestFactor}));
}

hnsw::Effort EarlyStops::effort(std::size_t k, std::size_t ef, std::size_t spare, std::size_t size) const {
  if (empty() || ef >= size || k == 0) return hnsw::Effort(ef);
  const auto above =
      std::lower_bound(ranks_.begin(), ranks_.end(), k, [](const Rank& r, std::size_t n) { return r.k < n; });
  hnsw::EarlyStop stop{k, k + spare, 1.0f, 0.0f};
  const double asked = static_cast<double>(ef);
  if (above == ranks_.end()) {
    const Rank& last = ranks_.back();
    stop.factor = factor(last, asked * last.k / static_cast<double>(k));
    stop.least = last.least;
  } else if (above->k == k) {
    stop.factor = factor(*above, asked);
    stop.least = above->least;
  } else {
    const Rank& below = *std::prev(above);
    const double share = share_between(static_cast<double>(k), below.k, above->k);
    const auto between = [share](float a, float b) { return static_cast<float>(a * std::pow(b / a, share)); };
    stop.factor = between(factor(below, asked), factor(*above, asked));
    stop.least = between(below.least, above->least);
  }
  return {ef, std::min(kSpread * ef, size), stop};
}

void EarlyStops::write(storage::ByteWriter& writer) const {
  writer.count(ranks_.size());
  for (const Rank& rank : ranks_) {
    writer.u32(rank.k);
    writer.f32(rank.least);
    writer.count(rank.factors.size());
    for (const float factor : rank.factors) writer.f32(factor);
  }
}

EarlyStops EarlyStops::read(storage::ByteReader& reader) {
  EarlyStops stops;
  const std::size_t count = reader.count(2 * sizeof(std::uint32_t) + sizeof(std::uint64_t));
  bool good = true;
  for (std::size_t i = 0; good && i < count; ++i) {
    Rank rank{reader.u32(), reader.f32(), std::vector<float>(reader.count(sizeof(float)))};
    good = rank.k > (i == 0 ? 0 : stops.ranks_.back().k) && rank.least > 0.0f && std::isfinite(rank.least) &&
           !rank.factors.empty();
    for (float& factor : rank.factors) {
      factor = reader.f32();
      good = good && factor >= 1.0f && factor <= kLargestFactor;
    }
    stops.ranks_.push_back(std::move(rank));
  }
  if (!good) throw CorruptIndexError("the early stops are not those that a save wrote");
  reader.finish();
  return stops;
}

}  // namespace hopspan::index
