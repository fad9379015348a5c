#include "spann/clustering/heads.h"

#include <algorithm>

#include "core/checked.h"
#include "core/threads.h"
#include "spann/clustering/grouped_centers.h"
#include "spann/clustering/hierarchy.h"
#include "spann/clustering/means.h"

namespace hopspan::spann {
namespace {

constexpr std::size_t kBlock = Centers::kVectorsAtOnce;
constexpr std::size_t kCandidates = 4;
constexpr std::size_t kPriceRounds = 12;
constexpr std::size_t kStreamedRounds = 3;
constexpr std::size_t kEnoughSamples = 32;  // of a head; with fewer, all vectors refine it
constexpr double kStreamedBalance = 0.15;

// Evenly spread over the data; all of it when it is small.
std::vector<float> draw_sample(const Floats& vectors, std::size_t count, std::size_t threads) {
  const std::size_t dim = vectors.dim();
  std::vector<float> sample(core::checked_mul(count, dim));
  core::parallel_for(count, 1024, threads, {}, [&](std::size_t begin, std::size_t end, std::size_t) {
    std::vector<std::uint32_t> slots;
    for (std::size_t i = begin; i < end; ++i) {
      slots.push_back(static_cast<std::uint32_t>(static_cast<std::uint64_t>(i) * vectors.size() / count));
    }
    vectors.gather(slots.data(), slots.size(), sample.data() + begin * dim);
  });
  return sample;
}

class Refinement {
 public:
  Refinement(const std::vector<float>& points, std::size_t dim, const HeadOptions& options)
      : points_(points),
        dim_(dim),
        count_(points.size() / dim),
        options_(options),
        candidates_(count_ * kCandidates),
        labels_(count_) {}

  void run(std::vector<float>& heads, const Progress& progress) {
    const std::size_t k = heads.size() / dim_;
    const std::size_t most = std::min(kCandidates, k);
    for (std::size_t round = 0; round < options_.rounds; ++round) {
      find_candidates(heads, most, progress);
      balance_labels(candidates_.data(), count_, most, k, options_.balance, labels_.data());
      update(heads, most, progress);
    }
  }

  // Replaces each head by the sample point nearest to it.
  void snap(std::vector<float>& heads, const Progress& progress) {
    const std::size_t k = heads.size() / dim_;
    find_candidates(heads, 1, progress);
    std::vector<std::size_t> best(k, count_);
    for (std::size_t i = 0; i < count_; ++i) {
      std::size_t& holder = best[candidates_[i].center];
      if (holder == count_ || candidates_[i].distance < candidates_[holder].distance) holder = i;
    }
    for (std::size_t h = 0; h < k; ++h) {
      if (best[h] != count_) std::copy_n(&points_[best[h] * dim_], dim_, &heads[h * dim_]);
    }
  }

 private:
  void find_candidates(const std::vector<float>& heads, std::size_t most, const Progress& progress) {
    const GroupedCenters centers(heads.data(), heads.size() / dim_, dim_, most, options_.threads);
    core::parallel_for(count_, centers.vectors_at_once(), options_.threads, progress,
                       [&](std::size_t begin, std::size_t end, std::size_t) {
                         GroupedCenters::Work work;
                         centers.nearest(&points_[begin * dim_], end - begin, most, work, &candidates_[begin * most]);
                       });
  }

  void update(std::vector<float>& heads, std::size_t most, const Progress& progress) {
    const std::size_t k = heads.size() / dim_;
    std::vector<std::size_t> at(k + 1, 0);
    for (std::size_t i = 0; i < count_; ++i) ++at[candidates_[i * most + labels_[i]].center + 1];
    for (std::size_t h = 0; h < k; ++h) at[h + 1] += at[h];
    std::vector<std::size_t> next(at.begin(), at.end() - 1);
    std::vector<std::uint32_t> members(count_);
    for (std::size_t i = 0; i < count_; ++i) {
      members[next[candidates_[i * most + labels_[i]].center]++] = static_cast<std::uint32_t>(i);
    }
    core::parallel_for(k, 16, options_.threads, progress, [&](std::size_t begin, std::size_t end, std::size_t) {
      for (std::size_t h = begin; h < end; ++h) {
        const std::size_t size = at[h + 1] - at[h];
        if (size != 0) mean_of(points_.data(), dim_, members.data() + at[h], size, &heads[h * dim_]);
      }
    });
  }

  const std::vector<float>& points_;
  std::size_t dim_;
  std::size_t count_;
  const HeadOptions& options_;
  std::vector<Nearest> candidates_;
  std::vector<std::uint8_t> labels_;
};

// Refines heads by all vectors, which it reads in turn and never holds.
class Streaming {
 public:
  Streaming(const Floats& vectors, const HeadOptions& options)
      : vectors_(vectors), dim_(vectors.dim()), options_(options), labels_(vectors.size()) {}

  void run(std::size_t rounds, std::vector<float>& heads, const Progress& progress) {
    std::vector<float> price(heads.size() / dim_, 0.0F);
    for (std::size_t round = 0; round < rounds; ++round) {
      label(heads, price, progress);
      update(heads, price);
    }
  }

 private:
  // The cheapest of each vector's nearest heads, by what was known before.
  void label(const std::vector<float>& heads, const std::vector<float>& price, const Progress& progress) {
    const std::size_t most = std::min(kCandidates, price.size());
    const GroupedCenters centers(heads.data(), price.size(), dim_, most, options_.threads);
    const auto label_some = [&](std::size_t begin, std::size_t end, std::size_t) {
      GroupedCenters::Work work;
      std::vector<float> floats((end - begin) * dim_);
      std::vector<Nearest> nearest((end - begin) * most);
      vectors_.read(begin, end - begin, floats.data());
      centers.nearest(floats.data(), end - begin, most, work, nearest.data());
      for (std::size_t i = 0; i < end - begin; ++i) {
        labels_[begin + i] =
            std::min_element(&nearest[i * most], &nearest[i * most] + most, [&](const Nearest& a, const Nearest& b) {
              return a.distance + price[a.center] < b.distance + price[b.center];
            })->center;
      }
    };
    core::parallel_for(labels_.size(), centers.vectors_at_once(), options_.threads, progress, label_some);
  }

  // On one thread, in the order of the vectors, so that sums are the same on any number of threads.
  void update(std::vector<float>& heads, std::vector<float>& price) const {
    std::vector<float> floats(kBlock * dim_), sums(heads.size(), 0.0F);
    std::vector<std::size_t> sizes(price.size(), 0);
    double spread = 0.0;
    for (std::size_t first = 0; first < labels_.size(); first += kBlock) {
      const std::size_t some = std::min(kBlock, labels_.size() - first);
      vectors_.read(first, some, floats.data());
      for (std::size_t i = 0; i < some; ++i) {
        const std::uint32_t head = labels_[first + i];
        ++sizes[head];
        for (std::size_t d = 0; d < dim_; ++d) {
          const float difference = floats[i * dim_ + d] - heads[head * dim_ + d];
          sums[head * dim_ + d] += difference;
          spread += static_cast<double>(difference) * static_cast<double>(difference);
        }
      }
    }
    const double unit = kStreamedBalance * options_.balance * spread / static_cast<double>(labels_.size());
    const double mean_size = static_cast<double>(labels_.size()) / static_cast<double>(price.size());
    for (std::size_t h = 0; h < price.size(); ++h) {
      const double over = static_cast<double>(sizes[h]) / mean_size - 1.0;
      price[h] += static_cast<float>(unit * std::clamp(over, -1.0, 1.0));
      const float share = sizes[h] == 0 ? 0.0F : 1.0F / static_cast<float>(sizes[h]);
      for (std::size_t d = 0; d < dim_; ++d) heads[h * dim_ + d] += sums[h * dim_ + d] * share;
    }
  }

  const Floats& vectors_;
  std::size_t dim_;
  const HeadOptions& options_;
  std::vector<std::uint32_t> labels_;
};

}  // namespace

void balance_labels(const Nearest* candidates, std::size_t count, std::size_t most, std::size_t centers, double balance,
                    std::uint8_t* labels) {
  double sum = 0.0;
  for (std::size_t i = 0; i < count; ++i) sum += candidates[i * most].distance;
  const double unit = balance * sum / static_cast<double>(count);
  const double mean_size = static_cast<double>(count) / static_cast<double>(centers);
  std::vector<float> price(centers, 0.0F);
  std::vector<std::size_t> sizes(centers);
  for (std::size_t round = 0; round <= kPriceRounds; ++round) {
    std::fill(sizes.begin(), sizes.end(), 0);
    for (std::size_t i = 0; i < count; ++i) {
      const Nearest* const list = candidates + i * most;
      std::uint8_t best = 0;
      for (std::uint8_t j = 1; j < most; ++j) {
        if (list[j].distance + price[list[j].center] < list[best].distance + price[list[best].center]) best = j;
      }
      labels[i] = best;
      ++sizes[list[best].center];
    }
    const double rate = 0.3 * unit / (1.0 + 0.25 * static_cast<double>(round));
    for (std::size_t c = 0; c < centers; ++c) {
      const double over = static_cast<double>(sizes[c]) / mean_size - 1.0;
      price[c] += static_cast<float>(rate * std::clamp(over, -1.0, 1.0));
    }
  }
}

std::vector<float> make_heads(const Floats& vectors, const HeadOptions& options, const Progress& progress) {
  const std::size_t count = std::min(vectors.size(), core::checked_mul(options.heads, options.samples_per_head));
  std::vector<float> sample = draw_sample(vectors, count, options.threads);
  HierarchyOptions cuts;
  cuts.clusters = options.heads;
  cuts.balance = options.balance;
  cuts.seed = options.seed;
  cuts.threads = options.threads;
  std::vector<float> heads = hierarchical_means(sample.data(), count, vectors.dim(), cuts, progress);
  {
    Refinement refinement(sample, vectors.dim(), options);
    refinement.run(heads, progress);
    if (options.from_data) refinement.snap(heads, progress);
  }
  if (options.from_data || count == vectors.size() || options.samples_per_head >= kEnoughSamples) return heads;
  std::vector<float>().swap(sample);
  Streaming(vectors, options).run(kStreamedRounds, heads, progress);
  return heads;
}

}  // namespace hopspan::spann
