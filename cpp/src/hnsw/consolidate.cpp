#include "hnsw/consolidate.h"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <utility>

#include "core/threads.h"
#include "hnsw/renumber.h"
#include "hnsw/row_chooser.h"
#include "hnsw/tree.h"

namespace hopspan::hnsw {
namespace {

constexpr std::size_t kRowsPerPiece = 4096;  // to look through
constexpr std::size_t kNodesPerPiece = 32;   // to choose links for
constexpr std::size_t kLeastOfMean = 2;      // of
constexpr std::size_t kLeastOf = 3;          // the mean length of rows: no row that is chosen again is left shorter

// Which nodes of a level the spanning tree connects (disjoint sets).
class Components {
 public:
  explicit Components(std::size_t size) : parents_(size) {
    std::iota(parents_.begin(), parents_.end(), std::uint32_t{0});
  }

  std::uint32_t find(std::uint32_t node) {
    while (parents_[node] != node) node = parents_[node] = parents_[parents_[node]];
    return node;
  }

  // False when they are connected already.
  bool join(std::uint32_t a, std::uint32_t b) {
    a = find(a);
    b = find(b);
    parents_[std::max(a, b)] = std::min(a, b);
    return a != b;
  }

 private:
  std::vector<std::uint32_t> parents_;
};

class Consolidation {
 public:
  Consolidation(const Graph& graph, const Space& space, const std::vector<bool>& dead, std::size_t threads,
                const Progress& progress)
      : graph_(copy(graph)), space_(space), dead_(dead), threads_(threads), progress_(progress) {
    workers_.resize(core::worker_count(SIZE_MAX, 1, threads));
  }

  Graph run() {
    for (std::size_t l = graph_.levels.size(); l-- > 0;) mend(l);
    std::vector<Level> upper = living_levels();
    const std::uint32_t entry = choose_entry(upper);
    clear_dead_rows();
    graph_.levels.resize(1 + upper.size());
    std::move(upper.begin(), upper.end(), graph_.levels.begin() + 1);
    graph_.entry = entry;
    graph_.entry_level = upper.size();
    return std::move(graph_);
  }

 private:
  struct Worker {
    RowChooser chooser;
    std::vector<std::uint32_t> links;
    std::vector<std::uint32_t> heirs;
  };

  bool is_dead(std::uint32_t node) const { return dead_[level_->slot(node)]; }

  void mend(std::size_t number) {
    level_ = &graph_.levels[number];
    links_ = level_->links.mutable_data();
    const std::vector<std::uint32_t> affected = find_affected();
    core::parallel_for(affected.size(), kNodesPerPiece, threads_, progress_,
                       [&](std::size_t begin, std::size_t end, std::size_t worker) {
                         for (std::size_t i = begin; i < end; ++i) choose_again(affected[i], workers_[worker]);
                       });
    join_trees(affected);
  }

  // The living nodes that link to a dead one. Sets the length below which no row is left where there is a choice.
  std::vector<std::uint32_t> find_affected() {
    std::vector<std::uint8_t> flags(level_->size);
    std::atomic<std::size_t> links{0};
    std::atomic<std::size_t> rows{0};
    core::parallel_for(level_->size, kRowsPerPiece, threads_, progress_,
                       [&](std::size_t begin, std::size_t end, std::size_t) {
                         std::size_t degrees = 0, living = 0;
                         for (std::size_t node = begin; node < end; ++node) {
                           if (is_dead(static_cast<std::uint32_t>(node))) continue;
                           const std::uint32_t* row = level_->row(node);
                           const std::size_t count = degree(row, level_->width);
                           flags[node] = links_to_dead(row, count) ? 1 : 0;
                           degrees += count;
                           ++living;
                         }
                         links += degrees;
                         rows += living;
                       });
    least_ = rows == 0 ? 0 : links * kLeastOfMean / kLeastOf / rows;
    std::vector<std::uint32_t> affected;
    for (std::size_t node = 0; node < flags.size(); ++node) {
      if (flags[node] != 0) affected.push_back(static_cast<std::uint32_t>(node));
    }
    return affected;
  }

  bool links_to_dead(const std::uint32_t* row, std::size_t count) const {
    return std::any_of(row, row + count, [&](std::uint32_t link) { return is_dead(target(link)); });
  }

  // Only rows of dead nodes are read beside the node's own.
  void choose_again(std::uint32_t node, Worker& worker) {
    std::uint32_t* const row = links_ + node * level_->width;
    worker.links.clear();
    worker.heirs.clear();
    const std::size_t count = degree(row, level_->width);
    for (std::size_t i = 0; i < count; ++i) {
      if (is_dead(target(row[i]))) {
        inherit(target(row[i]), worker.heirs);
      } else {
        worker.links.push_back(row[i]);
      }
    }
    std::sort(worker.heirs.begin(), worker.heirs.end());
    worker.heirs.erase(std::unique(worker.heirs.begin(), worker.heirs.end()), worker.heirs.end());
    const std::size_t own = worker.links.size();
    for (const std::uint32_t heir : worker.heirs) {
      const auto is_heir = [heir](std::uint32_t link) { return target(link) == heir; };
      if (heir == node ||
          std::any_of(worker.links.begin(), worker.links.begin() + static_cast<std::ptrdiff_t>(own), is_heir))
        continue;
      worker.links.push_back(heir);
    }
    worker.chooser.choose(*level_, space_, node, worker.links, row, own, std::max(count, least_));
  }

  void inherit(std::uint32_t from, std::vector<std::uint32_t>& heirs) const {
    const std::uint32_t* row = level_->row(from);
    for (std::size_t i = 0; i < level_->width && row[i] != kNone; ++i) {
      if (!is_dead(target(row[i]))) heirs.push_back(target(row[i]));
    }
  }

  // What is left of the spanning tree becomes one tree again: by links that the affected nodes have chosen as far as
  // there is room, and else over the gap that a group of dead nodes has left.
  void join_trees(const std::vector<std::uint32_t>& affected) {
    Components components(level_->size);
    for (std::uint32_t node = 0; node < level_->size; ++node) {
      if (is_dead(node)) continue;
      const std::uint32_t* row = level_->row(node);
      for (std::size_t i = 0; i < level_->width && row[i] != kNone; ++i) {
        if (is_tree(row[i])) components.join(node, target(row[i]));
      }
    }
    for (const std::uint32_t node : affected) join_by_links(node, components);
    std::vector<bool> met(level_->size);
    for (std::uint32_t node = 0; node < level_->size; ++node) {
      if (is_dead(node) && !met[node]) bridge(tree_neighbors(node, met), components);
    }
  }

  void join_by_links(std::uint32_t node, Components& components) {
    const std::vector<std::uint32_t> links(level_->row(node),
                                           level_->row(node) + degree(level_->row(node), level_->width));
    for (const std::uint32_t link : links) {
      if (tree_degree(*level_, node) == max_tree_degree(*level_)) return;
      if (is_tree(link) || tree_degree(*level_, link) == max_tree_degree(*level_)) continue;
      if (components.join(node, link)) add_edge(node, link);
    }
  }

  // The living nodes around the group of dead ones that the tree connects with `start`.
  std::vector<std::uint32_t> tree_neighbors(std::uint32_t start, std::vector<bool>& met) const {
    std::vector<std::uint32_t> around;
    std::vector<std::uint32_t> open{start};
    met[start] = true;
    while (!open.empty()) {
      const std::uint32_t* row = level_->row(open.back());
      open.pop_back();
      for (std::size_t i = 0; i < level_->width && row[i] != kNone; ++i) {
        const std::uint32_t next = target(row[i]);
        if (!is_tree(row[i]) || (is_dead(next) && met[next])) continue;
        (is_dead(next) ? open : around).push_back(next);
        if (is_dead(next)) met[next] = true;
      }
    }
    return around;
  }

  void bridge(const std::vector<std::uint32_t>& around, Components& components) {
    for (std::size_t i = 1; i < around.size(); ++i) {
      if (!components.join(around[0], around[i])) continue;
      add_edge(find_room(*level_, around[0]), find_room(*level_, around[i]));
    }
  }

  void add_edge(std::uint32_t a, std::uint32_t b) {
    add_tree_link(*level_, links_, a, b);
    add_tree_link(*level_, links_, b, a);
  }

  // The levels above 0 without the dead, those that are left.
  std::vector<Level> living_levels() {
    std::vector<Level> upper;
    std::vector<std::uint32_t> lower;  // numbers of the level below
    for (std::size_t l = 1; l < graph_.levels.size(); ++l) {
      level_ = &graph_.levels[l];
      std::vector<std::uint32_t> kept;
      for (std::uint32_t node = 0; node < level_->size; ++node) {
        if (!is_dead(node)) kept.push_back(node);
      }
      if (kept.empty()) break;
      std::vector<std::uint32_t> numbers = numbering(kept, level_->size);
      upper.push_back(keep_nodes(*level_, kept, numbers, l == 1 ? nullptr : &lower));
      lower = std::move(numbers);
    }
    return upper;
  }

  // The node that stands for the old entry point, or the first of the top level.
  std::uint32_t choose_entry(const std::vector<Level>& upper) const {
    const std::uint32_t old = graph_.entry_slot();
    if (upper.empty()) {
      if (!dead_[old]) return old;
      return static_cast<std::uint32_t>(std::find(dead_.begin(), dead_.end(), false) - dead_.begin());
    }
    const std::uint32_t* const slots = upper.back().slots.data();
    const std::uint32_t* const found = std::find(slots, slots + upper.back().size, old);
    return found == slots + upper.back().size ? 0 : static_cast<std::uint32_t>(found - slots);
  }

  void clear_dead_rows() noexcept {
    const std::size_t width = graph_.levels[0].width;
    std::uint32_t* const links = graph_.levels[0].links.mutable_data();
    for (std::size_t slot = 0; slot < graph_.size(); ++slot) {
      if (dead_[slot]) std::fill_n(links + slot * width, width, kNone);
    }
  }

  Graph graph_;
  const Space& space_;
  const std::vector<bool>& dead_;
  const std::size_t threads_;
  const Progress& progress_;
  std::vector<Worker> workers_;
  Level* level_ = nullptr;
  std::size_t least_ = 0;  // links of a row that is chosen again, where there are so many
  std::uint32_t* links_ = nullptr;
};

}  // namespace

Graph consolidated(const Graph& graph, const Space& space, const std::vector<bool>& dead, std::size_t threads,
                   const Progress& progress) {
  return Consolidation(graph, space, dead, threads, progress).run();
}

}  // namespace hopspan::hnsw
