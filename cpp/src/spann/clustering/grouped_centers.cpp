#include "spann/clustering/grouped_centers.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/threads.h"
#include "spann/clustering/hierarchy.h"

namespace hopspan::spann {
namespace {

constexpr std::size_t kGroupFrom = 2048;  // centres; fewer are one group
constexpr std::size_t kShare = 32;        // of the centres, those that are asked for at most
constexpr std::size_t kAround = 20;       // groups that a vector is compared with
constexpr std::size_t kBlock = Centers::kVectorsAtOnce;
constexpr std::size_t kBlockBytes = std::size_t{3} << 18;

std::vector<float> group_means(const float* centers, std::size_t count, std::size_t dim, std::size_t threads) {
  HierarchyOptions how;
  how.clusters = static_cast<std::size_t>(std::sqrt(static_cast<double>(count)));
  how.threads = threads;
  return hierarchical_means(centers, count, dim, how, {});
}

}  // namespace

GroupedCenters::GroupedCenters(const float* centers, std::size_t count, std::size_t dim, std::size_t most,
                               std::size_t threads)
    : dim_(dim), numbers_(count) {
  std::iota(numbers_.begin(), numbers_.end(), 0U);
  if (count < kGroupFrom || count < kShare * most) {
    groups_.push_back({0, Centers(centers, count, dim)});
  } else {
    const std::vector<float> means = group_means(centers, count, dim, threads);
    means_.emplace_back(means.data(), means.size() / dim, dim);
    make_groups(centers, threads);
    around_ = std::max(std::min(kAround, groups_.size()), groups_with(most));
  }
}

std::size_t GroupedCenters::vectors_at_once() const noexcept {
  const std::size_t bytes = dim_ * sizeof(float) + around_ * (sizeof(Nearest) + sizeof(std::uint32_t));
  return groups_.size() == 1 ? kBlock : std::max(kBlock, kBlockBytes / bytes);
}

void GroupedCenters::make_groups(const float* centers, std::size_t threads) {
  const std::size_t count = numbers_.size();
  std::vector<Nearest> own(count);
  core::parallel_for(count, kBlock, threads, {}, [&](std::size_t begin, std::size_t end, std::size_t) {
    Centers::Work work;
    means_[0].nearest(centers + begin * dim_, end - begin, 1, work, &own[begin]);
  });
  std::stable_sort(numbers_.begin(), numbers_.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return own[a].center < own[b].center; });
  std::vector<float> members;
  for (std::size_t g = 0, first = 0, end = 0; g < means_[0].count(); ++g, first = end) {
    members.clear();
    for (; end < count && own[numbers_[end]].center == g; ++end) {
      members.insert(members.end(), centers + numbers_[end] * dim_, centers + (numbers_[end] + 1) * dim_);
    }
    groups_.push_back({static_cast<std::uint32_t>(first), Centers(members.data(), end - first, dim_)});
  }
}

std::size_t GroupedCenters::groups_with(std::size_t centers) const {
  std::vector<std::size_t> sizes;
  for (const Group& group : groups_) sizes.push_back(group.centers.count());
  std::sort(sizes.begin(), sizes.end());
  std::size_t groups = 0;
  for (std::size_t held = 0; held < centers; ++groups) held += sizes[groups];
  return groups;
}

void GroupedCenters::nearest(const float* vectors, std::size_t count, std::size_t most, Work& work,
                             Nearest* out) const {
  if (groups_.size() == 1) {
    groups_[0].centers.nearest(vectors, count, most, work.centers, out);
    return;
  }
  work.groups.resize(count * around_);
  for (std::size_t i = 0; i < count; i += kBlock) {
    means_[0].nearest(vectors + i * dim_, std::min(kBlock, count - i), around_, work.centers,
                      &work.groups[i * around_]);
  }
  work.order.resize(work.groups.size());
  std::iota(work.order.begin(), work.order.end(), 0U);
  std::stable_sort(work.order.begin(), work.order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return work.groups[a].center < work.groups[b].center; });
  std::fill(out, out + count * most, Nearest{std::numeric_limits<float>::infinity(), 0});
  for (std::size_t begin = 0, end; begin < work.order.size(); begin = end) {
    const std::uint32_t group = work.groups[work.order[begin]].center;
    end = begin;
    while (end < work.order.size() && end - begin < kBlock && work.groups[work.order[end]].center == group) ++end;
    improve(vectors, begin, end, most, work, out);
  }
  add_norms(vectors, count, dim_, most, most, out);
  for (std::size_t i = 0; i < count * most; ++i) out[i].center = numbers_[out[i].center];
}

void GroupedCenters::improve(const float* vectors, std::size_t begin, std::size_t end, std::size_t most, Work& work,
                             Nearest* out) const {
  const Group& group = groups_[work.groups[work.order[begin]].center];
  work.vectors.resize((end - begin) * dim_);
  work.lists.resize((end - begin) * most);
  for (std::size_t i = begin; i < end; ++i) {
    const std::size_t vector = work.order[i] / around_;
    std::copy_n(vectors + vector * dim_, dim_, &work.vectors[(i - begin) * dim_]);
    std::copy_n(out + vector * most, most, &work.lists[(i - begin) * most]);
  }
  group.centers.improve(work.vectors.data(), end - begin, most, group.first, work.centers, work.lists.data());
  for (std::size_t i = begin; i < end; ++i) {
    std::copy_n(&work.lists[(i - begin) * most], most, out + work.order[i] / around_ * most);
  }
}

}  // namespace hopspan::spann
