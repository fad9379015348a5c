#include "index/hnsw_engine.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "core/threads.h"
#include "index/graph_sections.h"
#include "index/ties.h"
#include "vectors/convert.h"
#include "vectors/query.h"

namespace hopspan::index {
namespace {

constexpr double kDefaultRecall = 0.95;
constexpr std::size_t kEnoughAlive = 7;            // of
constexpr std::size_t kEnoughOf = 8;               // results of a beam that are no removed slots
constexpr std::size_t kLine = 64;                  // bytes of a cache line
constexpr std::size_t kExpansionsPerPiece = 2048;  // between looks at the progress callback, at least one query

bool nearer(const hnsw::Neighbor& a, const hnsw::Neighbor& b) {
  return a.distance != b.distance ? a.distance < b.distance : a.slot < b.slot;
}

template <typename T>
T read_section(const storage::ContainerReader& reader, storage::Tag tag, const char* what) {
  std::vector<std::byte> bytes(reader.size(tag));
  reader.read(tag, 0, bytes.data(), bytes.size());
  storage::ByteReader in(bytes.data(), bytes.size(), what);
  return T::read(in);
}

}  // namespace

HnswEngine::HnswEngine(const IndexOptions& options, const vectors::Matrix& rows, const IdMap& id_map,
                       core::FairMutex& mutex)
    : options_(options),
      rows_(rows),
      id_map_(id_map),
      mutex_(mutex),
      exact_(rows),
      among_(hnsw::Space::among(rows)),
      graph_(options.hnsw) {}

bool HnswEngine::in_graph(std::uint32_t slot) const {
  if (graph_.entry == hnsw::kNone || slot >= graph_.size()) return false;
  return graph_.levels[0].row(slot)[0] != hnsw::kNone || slot == graph_.entry_slot();
}

Slots HnswEngine::released() const {
  Slots slots = id_map_.holes();
  const auto in = [&](std::uint32_t slot) { return in_graph(slot); };
  slots.erase(std::remove_if(slots.begin(), slots.end(), in), slots.end());
  return slots;
}

std::size_t HnswEngine::effort(const SearchOptions& options) const {
  if (options.ef) return std::min(*options.ef, linked_ + pending_.size());
  return learnt_.calibration.effort(options.k, options.recall.value_or(kDefaultRecall), id_map_.live());
}

void HnswEngine::search(const MatrixView& queries, const SearchOptions& options, std::int64_t* ids,
                        float* distances) const {
  const std::size_t ef = effort(options);
  const std::size_t grain = std::clamp<std::size_t>(kExpansionsPerPiece / (ef + 1), 1, 16);
  core::parallel_for(
      queries.rows, grain, options.threads, options.progress, [&](std::size_t begin, std::size_t end, std::size_t) {
        const auto worker = spares_.take();
        for (std::size_t row = begin; row < end; ++row) {
          search_one(queries, row, options.k, ef, *worker, ids + row * options.k, distances + row * options.k);
        }
      });
}

void HnswEngine::search_one(const MatrixView& queries, std::size_t row, std::size_t k, std::size_t ef, Worker& worker,
                            std::int64_t* ids, float* distances) const {
  const std::size_t wanted = std::min(k, id_map_.live());
  worker.query.resize(vectors::prepared_bytes(rows_.format()));
  if (worker.found.size() < wanted) worker.found.resize(wanted);
  vectors::prepare_query(rows_.format(), queries, row, worker.query.data());
  const hnsw::Neighbor* const found = worker.found.data();
  const auto alive = [&](std::uint32_t slot) { return id_map_.id(slot) != kNoId; };
  const Scope all{pending_, id_map_.live(), alive};
  const hnsw::Counters before = worker.scratch.counters;
  const std::uint64_t ranked = worker.ranked;
  const hnsw::Effort effort = learnt_.stops.effort(wanted, ef, spare(wanted), linked_ + pending_.size());
  const std::size_t count = find(worker.query.data(), wanted, effort, worker, worker.found.data(), hnsw::kNone, all);
  ++worker.walks.searches;
  worker.walks.expansions += worker.scratch.counters.expansions - before.expansions;
  worker.walks.distances += worker.scratch.counters.distances - before.distances;
  worker.walks.ranked += worker.ranked - ranked;
  for (std::size_t i = 0; i < count; ++i) {
    ids[i] = id_map_.id(found[i].slot);
    distances[i] = found[i].distance;
  }
  if (!id_map_.identity()) order_ties(ids, distances, count);
  std::fill(ids + count, ids + k, std::int64_t{-1});
  std::fill(distances + count, distances + k, std::numeric_limits<float>::infinity());
}

// Made of a prepared query. One of whole numbers is compared with rows of bytes as they are.
HnswEngine::Asked HnswEngine::asked(const void* query, Worker& worker) const {
  if (traversal_ != nullptr) {
    worker.code_query.resize(traversal_->query_bytes());
    traversal_->prepare(query, worker.code_query.data());
    return {traversal_->space(), worker.code_query.data()};
  }
  if (rows_.format().bytes && options_.metric != Metric::kCosine) {
    worker.code_query.resize(options_.dim);
    if (vectors::floats_to_integers<std::uint8_t>(query, options_.dim, worker.code_query.data())) {
      return {among_, worker.code_query.data()};
    }
  }
  return {exact_, query};
}

// As hnsw::search, of slots that are alive; what is found on codes is ranked again by the rows.
std::size_t HnswEngine::find(const void* query, std::size_t k, const hnsw::Effort& effort, Worker& worker,
                             hnsw::Neighbor* out, std::uint32_t excluded, const Scope& scope) const {
  if (k == 0) return 0;
  const std::size_t count = collect(asked(query, worker), k, effort, worker, excluded, scope);
  hnsw::Neighbor* const candidates = worker.candidates.data();
  if (traversal_ != nullptr) rank(query, k, candidates, count, worker);
  const std::size_t found = std::min(k, count);
  std::copy_n(candidates, found, out);
  return found;
}

std::size_t HnswEngine::collect(const Asked& asked, std::size_t k, const hnsw::Effort& effort, Worker& worker,
                                std::uint32_t excluded, const Scope& scope) const {
  return scope.living == linked_ + scope.pending.size() ? walk(asked, k, effort, worker, excluded, scope.pending)
                                                        : walk_on(asked, k, effort, worker, excluded, scope);
}

// What ranking by the rows wants beside k.
std::size_t HnswEngine::spare(std::size_t k) const { return traversal_ == nullptr ? 0 : traversal_->spare(k); }

// Leaves what a beam and a look at all that is pending find, and what codes have to be ranked for k beside it, in
// worker.candidates; returns how many there are.
std::size_t HnswEngine::walk(const Asked& asked, std::size_t k, const hnsw::Effort& effort, Worker& worker,
                             std::uint32_t excluded, const Slots& pending) const {
  const std::size_t kept = std::max(effort.width, k) + spare(k);
  if (worker.candidates.size() < kept) worker.candidates.resize(kept);
  return hnsw::search(graph_, asked.space, asked.query, kept, effort, worker.scratch, worker.candidates.data(),
                      excluded, pending);
}

// As walk, for slots that are alive. The beam is made wider, and stops later, by as many as are likely to be no longer,
// and more so where they lie close together.
std::size_t HnswEngine::walk_on(const Asked& asked, std::size_t k, hnsw::Effort effort, Worker& worker,
                                std::uint32_t excluded, const Scope& scope) const {
  const std::size_t most = linked_ + scope.pending.size();
  const bool stops = effort.stop.rank != 0;
  const std::size_t enough = stops ? k : std::max(k, std::min(effort.ef, scope.living) * kEnoughAlive / kEnoughOf);
  const auto expected_dead = [&](std::size_t n) { return n * (most - scope.living) / most + 1; };
  std::size_t wider = expected_dead(effort.width), later = expected_dead(k);
  for (;;) {
    effort.width = std::min(effort.width + wider, most);
    if (stops) {
      effort.stop.rank += later;
      effort.stop.kept += later;
    }
    const std::size_t count = walk(asked, k, effort, worker, excluded, scope.pending);
    hnsw::Neighbor* const first = worker.candidates.data();
    const auto is_dead = [&](const hnsw::Neighbor& n) { return !scope.alive(n.slot); };
    const std::size_t near = stops ? std::min(count, effort.stop.rank) : count;
    const std::size_t dead = static_cast<std::size_t>(std::count_if(first, first + near, is_dead));
    if (near - dead >= enough || effort.width == most || dead == 0) {
      return static_cast<std::size_t>(std::remove_if(first, first + count, is_dead) - first);
    }
    wider = 2 * dead;
    later = dead;
  }
}

// Replaces the distances by those of the rows.
void HnswEngine::measure_exactly(const void* query, hnsw::Neighbor* candidates, std::size_t count,
                                 Worker& worker) const {
  worker.ranked += count;
  if (rows_.on_disk()) {
    const distance::OneFn distance = vectors::kernel_of(rows_.format()).one;
    worker.row.resize(rows_.stride());
    for (std::size_t i = 0; i < count; ++i) {
      rows_.read(candidates[i].slot, worker.row.data(), rows_.stride());
      candidates[i].distance = distance(query, worker.row.data(), options_.dim);
    }
    return;
  }
  hnsw::Scratch& scratch = worker.scratch;
  scratch.fit(count);
  for (std::size_t i = 0; i < count; ++i) scratch.slots[i] = candidates[i].slot;
  exact_.distances(query, scratch.slots.data(), count, scratch.distances.data());
  for (std::size_t i = 0; i < count; ++i) candidates[i].distance = scratch.distances[i];
}

// Puts the k nearest by the rows first. The candidates come by the distance of their codes: once so many have been
// measured, those whose codes are too far off to be among them are left out.
void HnswEngine::rank(const void* query, std::size_t k, hnsw::Neighbor* candidates, std::size_t count,
                      Worker& worker) const {
  const std::size_t first = std::min(count, rows_.on_disk() ? k : k + k / 2);
  measure_exactly(query, candidates, first, worker);
  std::size_t end = first;
  if (first < count) {
    std::nth_element(candidates, candidates + (k - 1), candidates + first, nearer);
    const float farthest = candidates[k - 1].distance;
    end = static_cast<std::size_t>(
        std::find_if(candidates + first, candidates + count,
                     [&](const hnsw::Neighbor& c) { return traversal_->least_distance(c.distance) > farthest; }) -
        candidates);
    measure_exactly(query, candidates + first, end - first, worker);
  }
  std::partial_sort(candidates, candidates + std::min(k, end), candidates + end, nearer);
}

void HnswEngine::save(storage::ContainerWriter& writer) const {
  if (traversal_ != nullptr) traversal_->save(writer);
  write_graph(graph_, writer);
  write_pending(pending_, writer);
  storage::ByteWriter calibration, stops;
  learnt_.calibration.write(calibration);
  writer.write("CALB", calibration.data(), calibration.size());
  if (learnt_.stops.empty()) return;
  learnt_.stops.write(stops);
  writer.write("STOP", stops.data(), stops.size());
}

// How many slots the graph has to have: up to the last one whose vector is not pending.
std::size_t HnswEngine::least_graph() const {
  std::size_t size = rows_.size(), pending = pending_.size();
  for (; size != 0; --size) {
    const std::uint32_t last = static_cast<std::uint32_t>(size - 1);
    if (pending != 0 && pending_[pending - 1] == last) {
      --pending;
    } else if (id_map_.id(last) != kNoId) {
      break;
    }
  }
  return size;
}

void HnswEngine::load(const storage::ContainerReader& reader, bool verify) {
  pending_ = read_pending(reader, rows_.size());
  graph_ = read_graph(reader, options_.hnsw, least_graph(), rows_.size());
  learnt_.calibration = read_section<Calibration>(reader, "CALB", "the calibration");
  if (reader.has("STOP")) learnt_.stops = read_section<EarlyStops>(reader, "STOP", "the early stops");
  if (Traversal::saved_in(reader)) traversal_ = std::make_unique<Traversal>(rows_, reader);
  if (verify) hnsw::validate(graph_, options_.hnsw, graph_.size());
  validated_ = verify;
  for (const std::uint32_t slot : pending_) {
    if (in_graph(slot) || id_map_.id(slot) == kNoId) {
      throw CorruptIndexError("row " + std::to_string(slot) + " is not one that can be pending");
    }
  }
  linked_ = rows_.size() - released().size() - pending_.size();
}

WalkStats HnswEngine::walks() const {
  const auto lines = [](std::size_t bytes) { return (bytes + kLine - 1) / kLine; };
  WalkStats sum;
  spares_.for_each([&](const Worker& worker) {
    sum.searches += worker.walks.searches;
    sum.expansions += worker.walks.expansions;
    sum.distances += worker.walks.distances;
    sum.ranked += worker.walks.ranked;
  });
  sum.lines = sum.expansions * lines(graph_.levels[0].width * sizeof(std::uint32_t)) +
              sum.distances * lines(traversal_ == nullptr ? rows_.stride() : traversal_->stride()) +
              sum.ranked * lines(rows_.stride());
  return sum;
}

void HnswEngine::describe(Stats& stats) const {
  stats.walks = walks();
  std::size_t graph_bytes = 0;
  for (const hnsw::Level& level : graph_.levels) {
    stats.level_sizes.push_back(level.size);
    graph_bytes += level.links.capacity_bytes() + level.slots.capacity_bytes() + level.below.capacity_bytes();
  }
  stats.bytes.emplace_back("graph", graph_bytes);
  if (traversal_ != nullptr) {
    stats.bytes.emplace_back("codes", traversal_->bytes());
    stats.codes = traversal_->kind();
  }
  const hnsw::Level& base = graph_.levels[0];
  std::size_t links = 0;
  for (std::size_t node = 0; node < base.size; ++node) {
    const std::size_t degree = hnsw::degree(base.row(node), base.width);
    links += degree;
    stats.max_degree = std::max(stats.max_degree, degree);
  }
  stats.pending = pending_.size();
  if (linked_ != 0) stats.mean_degree = static_cast<double>(links) / static_cast<double>(linked_);
}

void HnswEngine::check(bool deep, CheckReport& report) const {
  hnsw::validate(graph_, options_.hnsw, graph_.size());
  for (const hnsw::Level& level : graph_.levels) {
    for (std::size_t node = 0; node < level.size; ++node) report.links += hnsw::degree(level.row(node), level.width);
  }
  if (!deep) return;
  const std::vector<bool> met = hnsw::reachable(graph_);
  for (std::uint32_t slot = 0; slot < met.size(); ++slot) report.reachable += met[slot] && id_map_.id(slot) != kNoId;
  for (const std::uint32_t slot : pending_) report.reachable += id_map_.id(slot) != kNoId;
  if (report.reachable != id_map_.live()) {
    throw CorruptIndexError(std::to_string(id_map_.live() - report.reachable) + " of " +
                            std::to_string(id_map_.live()) + " vectors cannot be reached in the graph");
  }
}

}  // namespace hopspan::index
