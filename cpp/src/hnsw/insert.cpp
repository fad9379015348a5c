#include "hnsw/insert.h"

#include <algorithm>
#include <vector>

#include "core/threads.h"
#include "hnsw/connect.h"
#include "hnsw/journal.h"
#include "hnsw/newcomers.h"
#include "hnsw/search.h"
#include "hnsw/select.h"

namespace hopspan::hnsw {
namespace {

constexpr std::size_t kNodesPerPiece = 16;
constexpr std::size_t kMaxBatch = 512;
constexpr std::size_t kBatchShare = 8;  // a batch is at most this part of what the graph holds

// New nodes join in batches. Every node of a batch searches the graph as it was before the batch, compares itself with
// the nodes before it in the batch, and chooses its links (in parallel, each writing only its own rows); then the
// chosen nodes link back, grouped by target (in parallel, each target by one thread). No step depends on which thread
// does it.
class Insertion {
 public:
  Insertion(Graph& graph, const Space& space, const HnswOptions& options, std::size_t threads)
      : graph_(graph),
        space_(space),
        options_(options),
        threads_(threads),
        journal_(graph),
        connector_(graph, space, journal_, threads),
        entry_level_(graph.levels.size() - 1) {
    workers_.resize(core::worker_count(SIZE_MAX, 1, threads));
  }

  void run(std::uint64_t seed, const Progress& progress, const std::function<void()>& accept) {
    const std::size_t before = graph_.size();
    const std::vector<Newcomer> newcomers = append_nodes(graph_, space_.rows().size(), options_.M, seed);
    std::size_t done = 0;
    while (done < newcomers.size()) {
      const std::size_t size = std::min(batch_size(before + done, newcomers[done]), newcomers.size() - done);
      join(newcomers.data() + done, size, [&](std::size_t part, std::size_t) {
        if (progress) progress(done + part, newcomers.size());
      });
      done += size;
    }
    if (accept) accept();
    journal_.commit();
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

  // A node above all others joins alone.
  std::size_t batch_size(std::size_t present, const Newcomer& first) const {
    const bool on_top = graph_.entry == kNone || first.level > entry_level_;
    return on_top ? 1 : std::clamp<std::size_t>(present / kBatchShare, 1, kMaxBatch);
  }

  void join(const Newcomer* batch, std::size_t size, const Progress& progress) {
    if (graph_.entry != kNone) {
      number_batch(batch, size);
      const auto body = [&](std::size_t begin, std::size_t end, std::size_t worker) {
        for (std::size_t i = begin; i < end; ++i) link_out(batch[i], i, workers_[worker]);
      };
      core::parallel_for(size, kNodesPerPiece, threads_, progress, body);
      for (std::size_t l = 0; l < nodes_.size(); ++l) {
        if (!nodes_[l].empty()) connector_.link_back(l, nodes_[l]);
      }
    }
    if (graph_.entry == kNone || batch[0].level > entry_level_) {
      graph_.entry = batch[0].node;
      entry_level_ = batch[0].level;
    }
  }

  // Fills slots_ and nodes_. As higher levels come first, the nodes of a level are those of the batch's first members.
  void number_batch(const Newcomer* batch, std::size_t size) {
    slots_.clear();
    nodes_.assign(entry_level_ + 1, {});
    for (std::size_t i = 0; i < size; ++i) {
      slots_.push_back(batch[i].slot);
      std::uint32_t node = batch[i].node;
      for (std::size_t l = batch[i].level;; --l) {
        if (l <= entry_level_) nodes_[l].push_back(node);
        if (l == 0) break;
        node = graph_.levels[l].below[node];
      }
    }
  }

  // Alg. 1 of the paper but for the links back; `place` is the newcomer's in its batch.
  void link_out(const Newcomer& newcomer, std::size_t place, Worker& worker) {
    const void* query = space_.as_query(newcomer.slot, worker.query);
    std::uint32_t start = graph_.entry;
    std::size_t l = entry_level_;
    for (; l > newcomer.level; --l) {
      start = descend(graph_.levels[l], space_, query, start, worker.scratch);
      start = graph_.levels[l].below[start];
    }
    worker.mate_distances.resize(place);
    space_.distances(query, slots_.data(), place, worker.mate_distances.data());
    Pool& pool = worker.scratch.pool;
    pool.reset(options_.ef_construction);
    pool.insert(make_key(space_.distance(query, graph_.levels[l].slot(start)), start));
    for (;; --l) {
      Level& level = graph_.levels[l];
      beam(level, space_, query, options_.ef_construction, worker.scratch);
      collect_candidates(level, query, nodes_[l], worker);
      choose(level, nodes_[l][place], worker);
      if (l == 0) return;
      pool.reopen([&level](std::uint32_t above) { return level.below[above]; });
    }
  }

  // The links that a new node chooses at most: M, on level 0 half as many again (docs/decisions).
  std::size_t out_degree(const Level& level) const {
    return level.slots.size() == 0 ? std::min<std::size_t>(level.width, options_.M + options_.M / 2) : options_.M;
  }

  // What the beam found, and the mates that came before in the batch as far as they are near enough for it. The rows of
  // mates are being written and must not be read.
  void collect_candidates(const Level& level, const void* query, const std::vector<std::uint32_t>& mates,
                          Worker& worker) {
    const Pool& pool = worker.scratch.pool;
    worker.candidates.clear();
    for (std::size_t i = 0; i < pool.size(); ++i) worker.candidates.push_back(pool[i] & ~std::uint64_t{1});
    if (options_.extend_candidates) extend(level, query, worker);
    for (std::size_t i = 0; i < worker.mate_distances.size(); ++i) {
      const std::uint64_t key = make_key(worker.mate_distances[i], mates[i]);
      if (key < pool.limit()) worker.candidates.push_back(key);
    }
  }

  // Fills the row of `node` from the candidates, the nearest link first and marked as the tree parent that it wishes
  // for.
  void choose(Level& level, std::uint32_t node, Worker& worker) {
    worker.kept.clear();
    worker.selector.select(level, space_, worker.candidates, out_degree(level), options_.keep_pruned_connections,
                           worker.kept);
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
  const HnswOptions& options_;
  std::size_t threads_;
  Journal journal_;
  Connector connector_;
  std::size_t entry_level_;
  std::vector<Worker> workers_;
  std::vector<std::uint32_t> slots_;               // of the batch at work
  std::vector<std::vector<std::uint32_t>> nodes_;  // its node numbers on each level
};

}  // namespace

void insert(Graph& graph, const Space& space, const HnswOptions& options, std::uint64_t seed, std::size_t threads,
            const Progress& progress, const std::function<void()>& accept) {
  if (graph.size() == space.rows().size()) return;
  Insertion(graph, space, options, threads).run(seed, progress, accept);
}

}  // namespace hopspan::hnsw
