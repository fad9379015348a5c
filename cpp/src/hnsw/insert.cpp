#include "hnsw/insert.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <optional>
#include <vector>

#include "core/threads.h"
#include "hnsw/batch.h"
#include "hnsw/connect.h"
#include "hnsw/journal.h"
#include "hnsw/newcomers.h"
#include "hnsw/refine.h"
#include "hnsw/search.h"
#include "hnsw/select.h"

namespace hopspan::hnsw {
namespace {

constexpr std::size_t kNodesPerPiece = 4;
constexpr std::size_t kMaxBatch = 512;
constexpr std::size_t kJoinShare = 4;   // of the time, when a refinement follows,
constexpr std::size_t kShares = 5;      // in this unit
constexpr std::size_t kFewLate = 32;    // one late node of so many may be without a refinement
constexpr std::size_t kBatchShare = 8;  // a batch is at most this part of what the graph holds

// New nodes join in batches. Every node of a batch searches the graph as it was before the batch, compares itself with
// the nodes before it in the batch, and chooses its links (in parallel, each writing only its own rows); then the
// chosen nodes link back, grouped by target (in parallel, each target by one thread). No step depends on which thread
// does it.
class Insertion {
 public:
  Insertion(Graph& graph, const Space& space, const Joining& joining, const HnswOptions& options, std::size_t threads)
      : graph_(graph),
        space_(space),
        joining_(joining),
        options_(options),
        threads_(threads),
        journal_(graph),
        connector_(graph, space, journal_, joining.mutex, threads) {
    workers_.resize(core::worker_count(SIZE_MAX, 1, threads));
  }

  void run(std::uint64_t seed, const Progress& progress, const std::function<void()>& accept) {
    const std::size_t replaced = replaced_with(graph_, joining_.slots);
    for (const std::uint32_t slot : joining_.slots) journal_.save(0, slot);
    join_slots(early(), seed, joining_.refine ? part_of(progress, 0, kJoinShare) : progress);
    if (joining_.refine) refine(part_of(progress, kJoinShare, kShares - kJoinShare));
    if (accept) core::aside(joining_.mutex, accept);
    join_late(seed, part_of(progress, kShares, 0));
    journal_.commit();
    graph_.replaced = joining_.refine ? 0 : replaced;
  }

 private:
  struct Worker {
    Scratch scratch;
    Selector selector;
    std::vector<std::uint64_t> candidates;
    std::vector<std::uint64_t> kept;
    std::vector<float> mate_distances;
    core::Buffer query;
  };

  // Where they are not few, all choose anew together, as if none had been late.
  void join_late(std::uint64_t seed, const Progress& progress) {
    const bool again = joining_.refine && joining_.late.size() * kFewLate > graph_.size();
    if (again) journal_.take_links_back();
    join_slots(joining_.late, seed, progress);
    if (again) refine(progress);
  }

  std::vector<std::uint32_t> early() const {
    std::vector<std::uint32_t> slots;
    std::set_difference(joining_.slots.begin(), joining_.slots.end(), joining_.late.begin(), joining_.late.end(),
                        std::back_inserter(slots));
    return slots;
  }

  void join_slots(const std::vector<std::uint32_t>& slots, std::uint64_t seed, const Progress& progress) {
    if (slots.empty()) return;
    const std::size_t before = graph_.entry == kNone ? 0 : graph_.size();
    const std::vector<Newcomer> newcomers = append_nodes(graph_, slots, options_.M, seed);
    std::size_t done = 0;
    while (done < newcomers.size()) {
      const std::size_t size = batch_size(newcomers.data() + done, newcomers.size() - done, before + done);
      join(newcomers.data() + done, size, [&](std::size_t part, std::size_t) {
        if (progress) progress(done + part, joining_.slots.size());
      });
      done += size;
    }
  }

  // The progress of a part of the work in terms of all newcomers.
  Progress part_of(const Progress& progress, std::size_t first, std::size_t share) const {
    if (!progress) return {};
    const std::size_t all = joining_.slots.size();
    return [=, &progress](std::size_t done, std::size_t of) {
      progress(all * (first * of + share * done) / (kShares * of), all);
    };
  }

  void refine(const Progress& progress) {
    core::Array<std::uint32_t> links;
    core::aside(joining_.mutex,
                [&] { links = refined_links(graph_, space_, options_, joining_.is_dead, threads_, progress); });
    journal_.exchange_links(links);
  }

  // How many of the newcomers join next, while the graph holds `present` nodes. One above all others joins alone.
  std::size_t batch_size(const Newcomer* next, std::size_t left, std::size_t present) const {
    if (on_top(*next)) return 1;
    const std::size_t most = std::min(left, std::clamp<std::size_t>(present / kBatchShare, 1, kMaxBatch));
    return static_cast<std::size_t>(std::find_if(next, next + most, [this](const Newcomer& n) { return on_top(n); }) -
                                    next);
  }

  bool on_top(const Newcomer& newcomer) const { return graph_.entry == kNone || newcomer.level > graph_.entry_level; }

  void join(const Newcomer* newcomers, std::size_t size, const Progress& progress) {
    if (graph_.entry != kNone) {
      batch_.assign(graph_, newcomers, size, graph_.entry_level + 1);
      for (std::size_t l = 0; l <= graph_.entry_level; ++l) graph_.levels[l].links.mutable_data();  // no longer mapped
      const auto body = [&](std::size_t begin, std::size_t end, std::size_t worker) {
        for (std::size_t i = begin; i < end; ++i) link_out(newcomers[i], i, workers_[worker]);
      };
      core::aside(joining_.mutex, [&] { core::parallel_for(size, kNodesPerPiece, threads_, progress, body); });
      for (std::size_t l = 0; l < batch_.levels().size(); ++l) connector_.link_back(l, batch_.levels()[l].nodes);
    }
    if (on_top(*newcomers)) {
      graph_.entry = newcomers->node;
      graph_.entry_level = newcomers->level;
    }
  }

  // Alg. 1 of the paper but for the links back; `place` is the newcomer's in its batch.
  void link_out(const Newcomer& newcomer, std::size_t place, Worker& worker) {
    const void* query = space_.as_query(newcomer.slot, worker.query);
    std::uint32_t start = graph_.entry;
    std::size_t l = graph_.entry_level;
    for (; l > newcomer.level; --l) {
      start = descend(graph_.levels[l], space_, query, start, worker.scratch);
      start = graph_.levels[l].below[start];
    }
    worker.mate_distances.resize(place);
    space_.distances(query, batch_.slots().data(), place, worker.mate_distances.data());
    Pool& pool = worker.scratch.pool;
    pool.reset(options_.ef_construction, options_.ef_construction);
    pool.insert(make_key(space_.distance(query, graph_.levels[l].slot(start)), start));
    for (;; --l) {
      Level& level = graph_.levels[l];
      beam(level, space_, query, options_.ef_construction, worker.scratch);
      const Batch::Members& members = batch_.levels()[l];
      const std::size_t rank = members.rank(place);
      collect_candidates(level, query, members, rank, worker);
      choose(level, members.nodes[rank], worker);
      if (l == 0) return;
      pool.reopen([&level](std::uint32_t above) { return level.below[above]; });
    }
  }

  // What the beam found, and the mates that came before in the batch as far as they are near enough for it. The rows of
  // mates are being written and must not be read.
  void collect_candidates(const Level& level, const void* query, const Batch::Members& members, std::size_t rank,
                          Worker& worker) {
    const Pool& pool = worker.scratch.pool;
    worker.candidates.clear();
    for (std::size_t i = 0; i < pool.size(); ++i) worker.candidates.push_back(pool[i] & ~std::uint64_t{1});
    if (options_.extend_candidates) extend(level, query, worker);
    if (joining_.is_dead) prefer_living(joining_.is_dead, level, worker.candidates);
    for (std::size_t i = 0; i < rank; ++i) {
      const std::uint64_t key = make_key(worker.mate_distances[members.places[i]], members.nodes[i]);
      if (key < pool.limit()) worker.candidates.push_back(key);
    }
  }

  // Fills the row of `node` from the candidates, the nearest link first and marked as the tree parent that it wishes
  // for.
  void choose(Level& level, std::uint32_t node, Worker& worker) {
    worker.kept.clear();
    worker.selector.select(level, space_, worker.candidates, out_degree(options_, level),
                           least_degree(options_, level, space_), worker.kept);
    std::uint32_t* row = level.links.mutable_data() + node * level.width;
    for (std::size_t i = 0; i < worker.kept.size(); ++i) row[i] = key_node(worker.kept[i]);
    row[0] |= kTreeBit;
  }

  // Adds the candidates' own neighbours to the candidates.
  void extend(const Level& level, const void* query, Worker& worker) {
    std::vector<std::uint32_t> nodes;
    for (const std::uint64_t key : worker.candidates) {
      const std::uint32_t* row = level.row(key_node(key));
      nodes.push_back(key_node(key));
      for (std::size_t i = 0; i < level.width && row[i] != kNone; ++i) nodes.push_back(target(row[i]));
    }
    std::sort(nodes.begin(), nodes.end());
    nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
    std::vector<std::uint32_t> slots(nodes.size());
    std::vector<float> distances(nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) slots[i] = level.slot(nodes[i]);
    space_.distances(query, slots.data(), slots.size(), distances.data());
    worker.candidates.clear();
    for (std::size_t i = 0; i < nodes.size(); ++i) worker.candidates.push_back(make_key(distances[i], nodes[i]));
  }

  Graph& graph_;
  const Space& space_;
  const Joining& joining_;
  const HnswOptions& options_;
  std::size_t threads_;
  Journal journal_;
  Connector connector_;
  std::vector<Worker> workers_;
  Batch batch_;  // at work
};

}  // namespace

std::size_t replaced_with(const Graph& graph, const std::vector<std::uint32_t>& slots) {
  const auto beyond = std::lower_bound(slots.begin(), slots.end(), graph.size());
  return graph.replaced + static_cast<std::size_t>(beyond - slots.begin());
}

void insert(Graph& graph, const Space& space, const Joining& joining, const HnswOptions& options, std::uint64_t seed,
            std::size_t threads, const Progress& progress, const std::function<void()>& accept) {
  if (joining.slots.empty()) return;
  std::optional<Insertion> work;
  work.emplace(graph, space, joining, options, threads);
  work->run(seed, progress, accept);
  core::aside(joining.mutex, [&] { work.reset(); });
}

void insert(Graph& graph, const Space& space, const HnswOptions& options, std::uint64_t seed, std::size_t threads,
            const Progress& progress, const std::function<void()>& accept) {
  Joining joining;
  joining.slots.resize(space.size() - graph.size());
  std::iota(joining.slots.begin(), joining.slots.end(), static_cast<std::uint32_t>(graph.size()));
  insert(graph, space, joining, options, seed, threads, progress, accept);
}

}  // namespace hopspan::hnsw
