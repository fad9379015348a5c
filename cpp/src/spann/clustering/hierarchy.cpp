#include "spann/clustering/hierarchy.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/random.h"
#include "core/threads.h"
#include "spann/clustering/centers.h"
#include "spann/clustering/means.h"

namespace hopspan::spann {
namespace {

constexpr std::size_t kRounds = 12;
constexpr std::size_t kBlock = Centers::kVectorsAtOnce;

// A run of the permuted points that is to become `clusters` clusters.
struct Node {
  std::size_t begin;
  std::size_t end;
  std::size_t clusters;
};

class Hierarchy {
 public:
  Hierarchy(const float* points, std::size_t count, std::size_t dim, const HierarchyOptions& options)
      : points_(points), dim_(dim), options_(options), order_(count), branch_(count) {
    std::iota(order_.begin(), order_.end(), std::uint32_t{0});
  }

  std::vector<float> run(const Progress& progress) {
    std::vector<Node> nodes = {{0, order_.size(), std::min(options_.clusters, order_.size())}};
    while (!nodes.empty()) nodes = cut_all(nodes, progress);
    std::sort(leaves_.begin(), leaves_.end(), [](const Node& a, const Node& b) { return a.begin < b.begin; });
    std::vector<float> means(leaves_.size() * dim_);
    core::parallel_for(leaves_.size(), 8, options_.threads, progress,
                       [&](std::size_t begin, std::size_t end, std::size_t) {
                         for (std::size_t i = begin; i < end; ++i) {
                           mean_of(points_, dim_, order_.data() + leaves_[i].begin, leaves_[i].end - leaves_[i].begin,
                                   &means[i * dim_]);
                         }
                       });
    return means;
  }

 private:
  struct Cut {
    std::size_t branches = 0;
    std::vector<float> centers;
  };

  std::vector<Node> cut_all(const std::vector<Node>& nodes, const Progress& progress) {
    std::vector<Cut> cuts(nodes.size());
    core::parallel_for(nodes.size(), 1, options_.threads, progress,
                       [&](std::size_t begin, std::size_t end, std::size_t) {
                         for (std::size_t i = begin; i < end; ++i) cuts[i] = learn(nodes[i]);
                       });
    assign(nodes, cuts, progress);
    std::vector<Node> next;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      for (const Node& child : separate(nodes[i], cuts[i].branches)) {
        (child.clusters > 1 && child.end - child.begin < nodes[i].end - nodes[i].begin ? next : leaves_)
            .push_back(child);
      }
    }
    return next;
  }

  // Balanced k-means on a sample of the node's points.
  Cut learn(const Node& node) const {
    const std::size_t size = node.end - node.begin;
    const std::size_t count = std::min(size, options_.samples);
    Cut cut;
    cut.branches = std::min({options_.branches, node.clusters, count});
    std::vector<float> sample(count * dim_);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t from = node.begin + i * size / count;
      std::copy_n(points_ + order_[from] * dim_, dim_, &sample[i * dim_]);
    }
    for (std::size_t b = 0; b < cut.branches; ++b) {
      const std::size_t stratum = core::random_u64(options_.seed ^ node.begin, b) % (count / cut.branches);
      const std::size_t from = b * (count / cut.branches) + stratum;
      cut.centers.insert(cut.centers.end(), &sample[from * dim_], &sample[from * dim_] + dim_);
    }
    BalancedMeans(sample.data(), count, dim_, options_.balance).run(kRounds, cut.centers);
    return cut;
  }

  // The branch of every point, by distance alone.
  void assign(const std::vector<Node>& nodes, const std::vector<Cut>& cuts, const Progress& progress) {
    std::vector<std::pair<std::size_t, std::size_t>> blocks;  // node, first point
    std::vector<Centers> centers;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      centers.emplace_back(cuts[i].centers.data(), cuts[i].branches, dim_);
      for (std::size_t first = nodes[i].begin; first < nodes[i].end; first += kBlock) blocks.emplace_back(i, first);
    }
    core::parallel_for(blocks.size(), 16, options_.threads, progress,
                       [&](std::size_t begin, std::size_t end, std::size_t) {
                         Centers::Work work;
                         std::vector<float> vectors(kBlock * dim_);
                         Nearest nearest[kBlock];
                         for (std::size_t b = begin; b < end; ++b) {
                           const auto [node, first] = blocks[b];
                           const std::size_t some = std::min(kBlock, nodes[node].end - first);
                           for (std::size_t i = 0; i < some; ++i)
                             std::copy_n(points_ + order_[first + i] * dim_, dim_, &vectors[i * dim_]);
                           centers[node].nearest(vectors.data(), some, 1, work, nearest);
                           for (std::size_t i = 0; i < some; ++i) branch_[first + i] = nearest[i].center;
                         }
                       });
  }

  // Puts the points of each branch side by side and hands out the node's clusters.
  std::vector<Node> separate(const Node& node, std::size_t branches) {
    std::vector<std::size_t> sizes(branches, 0);
    for (std::size_t i = node.begin; i < node.end; ++i) ++sizes[branch_[i]];
    std::vector<std::size_t> at(branches, node.begin);
    for (std::size_t b = 1; b < branches; ++b) at[b] = at[b - 1] + sizes[b - 1];
    const std::vector<std::size_t> starts = at;
    std::vector<std::uint32_t> moved(node.end - node.begin);
    for (std::size_t i = node.begin; i < node.end; ++i) moved[at[branch_[i]]++ - node.begin] = order_[i];
    std::copy(moved.begin(), moved.end(), order_.begin() + static_cast<std::ptrdiff_t>(node.begin));
    std::vector<Node> children;
    std::size_t points_left = node.end - node.begin;
    std::size_t clusters_left = node.clusters;
    for (std::size_t b = 0; b < branches; ++b) {
      if (sizes[b] == 0) continue;
      const double share =
          static_cast<double>(clusters_left) * static_cast<double>(sizes[b]) / static_cast<double>(points_left);
      const std::size_t clusters = std::clamp<std::size_t>(static_cast<std::size_t>(std::lround(share)), 1, sizes[b]);
      children.push_back({starts[b], starts[b] + sizes[b], clusters});
      points_left -= sizes[b];
      clusters_left -= std::min(clusters_left, clusters);
    }
    return children;
  }

  const float* points_;
  std::size_t dim_;
  const HierarchyOptions& options_;
  std::vector<std::uint32_t> order_;
  std::vector<std::uint32_t> branch_;  // by place in order_
  std::vector<Node> leaves_;
};

}  // namespace

std::vector<float> hierarchical_means(const float* points, std::size_t count, std::size_t dim,
                                      const HierarchyOptions& options, const Progress& progress) {
  return Hierarchy(points, count, dim, options).run(progress);
}

}  // namespace hopspan::spann
