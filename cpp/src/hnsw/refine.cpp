#include "hnsw/refine.h"

#include <algorithm>
#include <vector>

#include "core/threads.h"
#include "hnsw/row_chooser.h"
#include "hnsw/search.h"
#include "hnsw/select.h"

namespace hopspan::hnsw {
namespace {

constexpr std::size_t kNodesPerPiece = 64;
constexpr std::uint32_t kBeamShare = 4;  // the beam is so many times narrower than at insertion
constexpr float kSlack = 1.1f;           // docs/decisions/0015

using IsDead = std::function<bool(std::uint32_t slot)>;

class Refinement {
 public:
  Refinement(const Graph& graph, const Space& space, const HnswOptions& options, const IsDead& is_dead,
             std::size_t threads)
      : level_(graph.levels[0]), space_(space), options_(options), is_dead_(is_dead), threads_(threads) {
    const std::size_t count = core::worker_count(SIZE_MAX, 1, threads);
    workers_.reserve(count);
    while (workers_.size() < count) workers_.emplace_back(space.is_product() ? 1.0f : kSlack);
  }

  core::Array<std::uint32_t> run(const Progress& progress) {
    links_.resize(level_.links.size());
    std::fill_n(links_.mutable_data(), links_.size(), kNone);
    each_node(progress, [this](std::uint32_t node, Worker& worker) { choose_out(node, worker); });
    collect_sources();
    each_node({}, [this](std::uint32_t node, Worker& worker) { link_back(node, worker); });
    return std::move(links_);
  }

 private:
  struct Worker {
    explicit Worker(float slack) : selector(slack), chooser(slack) {}

    Scratch scratch;
    Selector selector;
    RowChooser chooser;
    std::vector<std::uint64_t> candidates;
    std::vector<std::uint64_t> kept;
    std::vector<std::uint32_t> links;
    core::Buffer query;
  };

  template <typename F>
  void each_node(const Progress& progress, F&& f) {
    core::parallel_for(level_.size, kNodesPerPiece, threads_, progress,
                       [&](std::size_t begin, std::size_t end, std::size_t worker) {
                         for (std::size_t node = begin; node < end; ++node)
                           f(static_cast<std::uint32_t>(node), workers_[worker]);
                       });
  }

  std::uint32_t* row(std::uint32_t node) { return links_.mutable_data() + node * level_.width; }

  // Fills the row with the edges of the tree, nearest first, and what the heuristic chooses beside them of the links
  // that the node has, which may be long ones, and of what a beam finds around it.
  void choose_out(std::uint32_t node, Worker& worker) {
    if (level_.row(node)[0] == kNone) return;
    const void* query = space_.as_query(node, worker.query);
    collect_candidates(node, query, worker);
    const std::size_t tree = worker.kept.size();
    worker.selector.select(level_, space_, worker.candidates, out_degree(options_, level_),
                           least_degree(options_, level_, space_), worker.kept);
    std::uint32_t* const links = row(node);
    for (std::size_t i = 0; i < worker.kept.size(); ++i) {
      links[i] = key_node(worker.kept[i]) | (i < tree ? kTreeBit : 0);
    }
  }

  // Leaves the edges of the tree in worker.kept, and everything else in worker.candidates.
  void collect_candidates(std::uint32_t node, const void* query, Worker& worker) {
    const std::size_t ef = std::max(options_.M, options_.ef_construction / kBeamShare);
    Pool& pool = worker.scratch.pool;
    pool.reset(ef, ef);
    pool.insert(make_key(space_.distance(query, node), node));
    beam(level_, space_, query, ef, worker.scratch);
    worker.kept.clear();
    worker.candidates.clear();
    for (std::size_t i = 0; i < pool.size(); ++i) worker.candidates.push_back(pool[i] & ~std::uint64_t{1});
    const std::uint32_t* const old = level_.row(node);
    for (std::size_t i = 0; i < level_.width && old[i] != kNone; ++i) {
      const std::uint64_t key = make_key(space_.distance(query, target(old[i])), target(old[i]));
      (is_tree(old[i]) ? worker.kept : worker.candidates).push_back(key);
    }
    std::sort(worker.kept.begin(), worker.kept.end());
    std::sort(worker.candidates.begin(), worker.candidates.end());
    const auto is_done = [&](std::uint64_t key) {
      return key_node(key) == node || std::binary_search(worker.kept.begin(), worker.kept.end(), key);
    };
    const auto end = std::unique(worker.candidates.begin(), worker.candidates.end());
    worker.candidates.erase(std::remove_if(worker.candidates.begin(), end, is_done), worker.candidates.end());
    if (is_dead_) prefer_living(is_dead_, level_, worker.candidates);
  }

  // Groups the links by target: those to node t come from sources_[starts_[t], starts_[t + 1]), ascending.
  void collect_sources() {
    starts_.assign(level_.size + 1, 0);
    each_link([this](std::uint32_t, std::uint32_t to) { ++starts_[to + 1]; });
    for (std::size_t i = 0; i < level_.size; ++i) starts_[i + 1] += starts_[i];
    sources_.resize(starts_[level_.size]);
    std::vector<std::size_t> ends(starts_.begin(), starts_.end() - 1);
    each_link([&](std::uint32_t from, std::uint32_t to) { sources_[ends[to]++] = from; });
  }

  template <typename F>
  void each_link(F&& f) {
    for (std::uint32_t node = 0; node < level_.size; ++node) {
      const std::uint32_t* const links = row(node);
      for (std::size_t i = 0; i < level_.width && links[i] != kNone; ++i) f(node, target(links[i]));
    }
  }

  void link_back(std::uint32_t node, Worker& worker) {
    std::uint32_t* const links = row(node);
    std::vector<std::uint32_t>& all = worker.links;
    all.assign(links, links + degree(links, level_.width));
    const std::size_t own = all.size();
    for (std::size_t i = starts_[node]; i < starts_[node + 1]; ++i) {
      const auto is_it = [&](std::uint32_t link) { return target(link) == sources_[i]; };
      if (std::none_of(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(own), is_it)) all.push_back(sources_[i]);
    }
    if (all.size() <= level_.width) {
      std::copy(all.begin(), all.end(), links);
    } else {
      worker.chooser.choose(level_, space_, node, all, links);
    }
  }

  const Level& level_;
  const Space& space_;
  const HnswOptions& options_;
  const IsDead& is_dead_;
  std::size_t threads_;
  std::vector<Worker> workers_;
  core::Array<std::uint32_t> links_;
  std::vector<std::size_t> starts_;
  std::vector<std::uint32_t> sources_;
};

}  // namespace

core::Array<std::uint32_t> refined_links(const Graph& graph, const Space& space, const HnswOptions& options,
                                         const IsDead& is_dead, std::size_t threads, const Progress& progress) {
  return Refinement(graph, space, options, is_dead, threads).run(progress);
}

}  // namespace hopspan::hnsw
