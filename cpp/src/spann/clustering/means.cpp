#include "spann/clustering/means.h"

#include <algorithm>

#include "spann/clustering/centers.h"

namespace hopspan::spann {
namespace {

constexpr std::size_t kBlock = Centers::kVectorsAtOnce;

}  // namespace

void mean_of(const float* points, std::size_t dim, const std::uint32_t* members, std::size_t count, float* out) {
  std::fill(out, out + dim, 0.0F);
  for (std::size_t i = 0; i < count; ++i) {
    const float* const point = points + members[i] * dim;
    for (std::size_t d = 0; d < dim; ++d) out[d] += point[d];
  }
  if (count == 0) return;
  const float share = 1.0F / static_cast<float>(count);
  for (std::size_t d = 0; d < dim; ++d) out[d] *= share;
}

void BalancedMeans::run(std::size_t rounds, std::vector<float>& centers) {
  sizes_.assign(centers.size() / dim_, 0);
  for (std::size_t round = 0; round < rounds; ++round) {
    const bool last = round + 1 == rounds;
    const bool changed = assign(centers, round == 0 || last ? 0.0 : balance_);
    if (changed) update(centers);
    if (!changed && last) return;
  }
}

// What a cluster costs follows from its size so far: that of the round before, until this round's share is in.
bool BalancedMeans::assign(const std::vector<float>& centers, double balance) {
  const std::size_t k = sizes_.size();
  const Centers packed(centers.data(), k, dim_);
  const double mean_size = static_cast<double>(count_) / static_cast<double>(k);
  std::vector<float> price(k);
  for (std::size_t c = 0; c < k; ++c) {
    price[c] = static_cast<float>(balance * mean_distance_ * static_cast<double>(sizes_[c]) / mean_size);
  }
  std::fill(sizes_.begin(), sizes_.end(), 0);
  Centers::Work work;
  std::vector<Nearest> nearest(kBlock * k);
  double sum = 0.0;
  bool changed = false;
  for (std::size_t first = 0; first < count_; first += kBlock) {
    const std::size_t some = std::min(kBlock, count_ - first);
    packed.nearest(points_ + first * dim_, some, balance == 0.0 ? 1 : k, work, nearest.data());
    for (std::size_t i = 0; i < some; ++i) {
      const Nearest* const list = nearest.data() + i * (balance == 0.0 ? 1 : k);
      const Nearest* best = list;
      for (std::size_t j = 1; balance != 0.0 && j < k; ++j) {
        if (list[j].distance + price[list[j].center] < best->distance + price[best->center]) best = list + j;
      }
      sum += best->distance;
      ++sizes_[best->center];
      changed = changed || labels_[first + i] != best->center;
      labels_[first + i] = best->center;
    }
  }
  mean_distance_ = sum / static_cast<double>(count_);
  return changed;
}

void BalancedMeans::update(std::vector<float>& centers) const {
  const std::size_t k = sizes_.size();
  std::vector<std::uint32_t> members(count_);
  std::vector<std::size_t> at(k + 1, 0);
  for (std::size_t c = 0; c < k; ++c) at[c + 1] = at[c] + sizes_[c];
  std::vector<std::size_t> next(at.begin(), at.end() - 1);
  for (std::size_t i = 0; i < count_; ++i) members[next[labels_[i]]++] = static_cast<std::uint32_t>(i);
  for (std::size_t c = 0; c < k; ++c) {
    if (sizes_[c] != 0) mean_of(points_, dim_, members.data() + at[c], sizes_[c], &centers[c * dim_]);
  }
}

}  // namespace hopspan::spann
