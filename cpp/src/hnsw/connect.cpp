#include "hnsw/connect.h"

#include <algorithm>

#include "core/threads.h"
#include "hnsw/tree.h"

namespace hopspan::hnsw {
namespace {

constexpr std::size_t kTargetsPerPiece = 64;

}  // namespace

Connector::Connector(Graph& graph, const Space& space, Journal& journal, core::FairMutex* mutex, std::size_t threads)
    : graph_(graph), space_(space), journal_(journal), mutex_(mutex), threads_(threads) {
  workers_.resize(core::worker_count(SIZE_MAX, 1, threads));
}

void Connector::link_back(std::size_t level, const std::vector<std::uint32_t>& sources) {
  if (sources.empty()) return;
  number_ = level;
  level_ = &graph_.levels[level];
  links_ = level_->links.mutable_data();
  core::aside(mutex_, [&] {
    collect_edges(sources);
    choose_rows(level);
  });
  rows_.write(links_, mutex_);
  adopt_refused(sources);
}

void Connector::choose_rows(std::size_t level) {
  rows_.clear(level_->width);
  for (std::size_t g = 0; g + 1 < groups_.size(); ++g) {
    journal_.save(level, node_of(g));
    rows_.add(node_of(g));
  }
  const auto body = [this](std::size_t begin, std::size_t end, std::size_t worker) {
    for (std::size_t g = begin; g < end; ++g) connect(g, rows_.row(g), workers_[worker]);
  };
  core::parallel_for(rows_.size(), kTargetsPerPiece, threads_, {}, body);
}

void Connector::collect_edges(const std::vector<std::uint32_t>& sources) {
  edges_.clear();
  groups_.clear();
  for (const std::uint32_t source : sources) {
    const std::uint32_t* row = level_->row(source);
    for (std::size_t i = 0; i < level_->width && row[i] != kNone; ++i) {
      const std::uint32_t back = source | (row[i] & kTreeBit);
      edges_.push_back(static_cast<std::uint64_t>(target(row[i])) << 32 | back);
    }
  }
  std::sort(edges_.begin(), edges_.end());
  for (std::size_t i = 0; i < edges_.size(); ++i) {
    if (i == 0 || edges_[i] >> 32 != edges_[i - 1] >> 32) groups_.push_back(i);
  }
  groups_.push_back(edges_.size());
}

// Adds the links of the group's edges to those of its node; a wish for a parent that has no room is refused.
void Connector::connect(std::size_t group, std::uint32_t* row, Worker& worker) {
  const std::size_t width = level_->width;
  const std::uint32_t node = node_of(group);
  const std::uint32_t* old = level_->row(node);
  std::vector<std::uint32_t>& links = worker.links;
  links.assign(old, old + degree(old, width));
  std::size_t edges = tree_degree(*level_, node);
  for (std::size_t e = groups_[group]; e < groups_[group + 1]; ++e) {
    std::uint32_t link = static_cast<std::uint32_t>(edges_[e]);
    if (is_tree(link) && edges >= max_tree_degree(*level_)) {
      link = target(link);
      worker.refusals.push_back({link, node});
    }
    if (is_tree(link)) ++edges;
    links.push_back(link);
  }
  if (links.size() <= width) {
    std::fill(std::copy(links.begin(), links.end(), row), row + width, kNone);
  } else {
    worker.chooser.choose(*level_, space_, node, links, row);
  }
}

// In the order of joining, so that what a node wished for is part of the tree by then.
void Connector::adopt_refused(const std::vector<std::uint32_t>& sources) {
  std::vector<Refusal> refusals;
  for (Worker& worker : workers_) {
    refusals.insert(refusals.end(), worker.refusals.begin(), worker.refusals.end());
    worker.refusals.clear();
  }
  if (refusals.empty()) return;
  for (const std::uint32_t source : sources) {
    const auto found = std::find_if(refusals.begin(), refusals.end(),
                                    [source](const Refusal& refusal) { return refusal.orphan == source; });
    if (found != refusals.end()) adopt(*found);
  }
}

// Finds another parent for a node whose wish was refused.
void Connector::adopt(const Refusal& refusal) {
  std::uint32_t* row = links_ + refusal.orphan * level_->width;
  *std::find(row, row + level_->width, refusal.wish | kTreeBit) = refusal.wish;
  const std::uint32_t parent = find_room(*level_, refusal.wish);
  journal_.save(number_, parent);
  add_tree_link(*level_, links_, parent, refusal.orphan);
  add_tree_link(*level_, links_, refusal.orphan, parent);
}

}  // namespace hopspan::hnsw
