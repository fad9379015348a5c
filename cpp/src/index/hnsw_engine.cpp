#include "index/hnsw_engine.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "core/threads.h"
#include "hnsw/consolidate.h"
#include "hnsw/insert.h"
#include "hnsw/newcomers.h"
#include "hnsw/renumber.h"
#include "index/graph_sections.h"
#include "index/ties.h"
#include "vectors/query.h"

namespace hopspan::index {
namespace {

constexpr double kDefaultRecall = 0.95;
constexpr std::size_t kCalibrateFrom = 1000;       // smaller indexes are searched with full effort
constexpr std::size_t kEnoughAlive = 7;            // of
constexpr std::size_t kEnoughOf = 8;               // results of a beam that are no removed slots
constexpr std::size_t kRemovedShare = 64;          // a graph is consolidated when one of so many slots was removed
constexpr std::size_t kRebuildShare = 2;           // and built anew when one of so many was
constexpr std::size_t kWornShare = 8;              // links are chosen anew when one of so many was replaced
constexpr std::size_t kExpansionsPerPiece = 2048;  // between looks at the progress callback, at least one query

bool nearer(const hnsw::Neighbor& a, const hnsw::Neighbor& b) {
  return a.distance != b.distance ? a.distance < b.distance : a.slot < b.slot;
}

// Replaces the distances by those of the rows.
void measure_exactly(const hnsw::Space& exact, const void* query, hnsw::Neighbor* candidates, std::size_t count,
                     hnsw::Scratch& scratch) {
  scratch.fit(count);
  for (std::size_t i = 0; i < count; ++i) scratch.slots[i] = candidates[i].slot;
  exact.distances(query, scratch.slots.data(), count, scratch.distances.data());
  for (std::size_t i = 0; i < count; ++i) candidates[i].distance = scratch.distances[i];
}

void write_section(storage::ContainerWriter& writer, storage::Tag tag, const storage::ByteWriter& bytes) {
  writer.begin(tag);
  writer.append(bytes.data(), bytes.size());
  writer.end();
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
    : options_(options), rows_(rows), id_map_(id_map), mutex_(mutex), exact_(rows), graph_(options.hnsw) {}

// Insertion and consolidation follow links unchecked.
void HnswEngine::validate_once() {
  if (!validated_) mutex_.aside([&] { hnsw::validate(graph_, options_.hnsw, graph_.size()); });
  validated_ = true;
}

void HnswEngine::insert(const Slots& added, const Slots& leaving, const AddOptions& options) {
  validate_once();
  const std::size_t living = id_map_.live() + added.size() - leaving.size();
  std::optional<Learnt> fresh;
  const bool stale = living >= kCalibrateFrom && living > 2 * learnt_.calibration.size();
  const bool worn = living >= kCalibrateFrom && hnsw::replaced_with(graph_, added) > living / kWornShare;
  const auto has = [](const Slots& slots, std::uint32_t slot) {
    return std::binary_search(slots.begin(), slots.end(), slot);
  };
  hnsw::Joining joining{added, {}, stale || worn, &mutex_};
  if (linked_ != id_map_.live() || !leaving.empty()) {
    joining.is_dead = [&](std::uint32_t slot) {
      return id_map_.id(slot) == kNoId ? !has(added, slot) : has(leaving, slot);
    };
  }
  std::optional<Rehearsal> measured;
  if (stale) {
    measured = rehearsal(added, leaving);
    joining.late = measured->late;
  }
  const std::size_t early = added.size() - joining.late.size();
  linked_ += early;
  const auto accept = [&] {
    if (measured) fresh = learn(*measured, living, options);
  };
  try {
    follow_rows(added, options, [&] {
      std::unique_ptr<Traversal> codes = joining.refine ? codes_to_link_by(options) : nullptr;
      hnsw::insert(graph_, codes == nullptr ? walked() : codes->space(), joining, options_.hnsw, options_.seed,
                   options.threads, options.progress, accept);
      mutex_.aside([&] { codes.reset(); });
    });
  } catch (...) {
    linked_ -= early;
    throw;
  }
  linked_ += joining.late.size();
  if (fresh) learnt_ = std::move(*fresh);
}

// Brings the codes up to the rows and calls `insert`; when that throws, the codes are as they were.
void HnswEngine::follow_rows(const Slots& added, const AddOptions& options, core::FunctionRef<void()> insert) {
  std::unique_ptr<Traversal> learnt;
  std::optional<Traversal::Before> before;
  if (Traversal::serves(options_, rows_.size()) && (traversal_ == nullptr || traversal_->outgrown())) {
    mutex_.aside([&] { learnt = std::make_unique<Traversal>(rows_, options_, options); });
  } else if (traversal_ != nullptr) {
    before = traversal_->encode(added, options);
  }
  const bool anew = learnt != nullptr;
  if (anew) traversal_.swap(learnt);
  try {
    insert();
  } catch (...) {
    if (anew) {
      traversal_.swap(learnt);
    } else if (before) {
      traversal_->undo(added, *before);
    }
    throw;
  }
}

// Codes to choose the links of all nodes by where the rows are what is walked: a build takes half the time with them
// (docs/decisions/0010). Null where it has to be the rows.
std::unique_ptr<Traversal> HnswEngine::codes_to_link_by(const AddOptions& options) {
  IndexOptions coded = options_;
  coded.hnsw.codes = CodeKind::kSq8;
  if (traversal_ != nullptr || !Traversal::serves(coded, rows_.size())) return nullptr;
  std::unique_ptr<Traversal> codes;
  mutex_.aside([&] { codes = std::make_unique<Traversal>(rows_, coded, options); });
  return codes->tells_apart() ? std::move(codes) : nullptr;
}

bool HnswEngine::in_graph(std::uint32_t slot) const {
  if (graph_.entry == hnsw::kNone) return false;
  return graph_.levels[0].row(slot)[0] != hnsw::kNone || slot == graph_.entry_slot();
}

Slots HnswEngine::released() const {
  Slots slots = id_map_.holes();
  const auto in = [&](std::uint32_t slot) { return in_graph(slot); };
  slots.erase(std::remove_if(slots.begin(), slots.end(), in), slots.end());
  return slots;
}

// Removed slots stay in the graph, as waypoints that no search finds, until there are enough of them to pay for a look
// at every row.
Slots HnswEngine::release(const Slots&, const AddOptions& options) {
  const std::size_t removed = linked_ - id_map_.live();
  if (removed == 0 || removed * kRemovedShare < linked_) return {};
  validate_once();
  Slots slots;
  std::vector<bool> dead(rows_.size());
  hnsw::Graph anew;
  mutex_.aside([&] {
    slots = id_map_.holes();
    for (const std::uint32_t slot : slots) dead[slot] = true;
    const auto is_free = [&](std::uint32_t slot) { return !in_graph(slot); };
    slots.erase(std::remove_if(slots.begin(), slots.end(), is_free), slots.end());
    anew = removed * kRebuildShare > linked_
               ? rebuild(options)
               : hnsw::consolidated(graph_, walked(), dead, options.threads, options.progress);
  });
  std::swap(graph_, anew);
  linked_ = id_map_.live();
  mutex_.aside([&] { anew = hnsw::Graph(); });
  return slots;
}

// The graph of the slots with an id.
hnsw::Graph HnswEngine::rebuild(const AddOptions& options) const {
  hnsw::Graph graph(options_.hnsw);
  hnsw::Joining joining;
  for (std::uint32_t slot = 0; slot < rows_.size(); ++slot) {
    if (id_map_.id(slot) != kNoId) joining.slots.push_back(slot);
  }
  joining.refine = joining.slots.size() >= kCalibrateFrom;
  hnsw::insert(graph, walked(), joining, options_.hnsw, options_.seed, options.threads, options.progress);
  hnsw::append_free(graph, rows_.size());
  return graph;
}

void HnswEngine::keep(const Slots& kept) {
  if (kept.empty()) {
    graph_ = hnsw::Graph(options_.hnsw);
    traversal_.reset();
    learnt_ = {};
    return;
  }
  hnsw::Graph graph = hnsw::keep_slots(graph_, kept);
  if (traversal_ != nullptr) traversal_->keep(kept);
  graph_ = std::move(graph);
}

std::size_t HnswEngine::effort(const SearchOptions& options) const {
  if (options.ef) return std::min(*options.ef, linked_);
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
  const std::size_t living = id_map_.live();
  const std::size_t wanted = std::min(k, living);
  worker.query.resize(vectors::prepared_bytes(rows_.format()));
  if (worker.found.size() < wanted) worker.found.resize(wanted);
  vectors::prepare_query(rows_.format(), queries, row, worker.query.data());
  const hnsw::Neighbor* const found = worker.found.data();
  const std::size_t count =
      find(worker.query.data(), wanted, learnt_.stops.effort(wanted, ef, spare(wanted), linked_), worker,
           worker.found.data(), hnsw::kNone, living, [&](std::uint32_t slot) { return id_map_.id(slot) != kNoId; });
  for (std::size_t i = 0; i < count; ++i) {
    ids[i] = id_map_.id(found[i].slot);
    distances[i] = found[i].distance;
  }
  if (!id_map_.identity()) order_ties(ids, distances, count);
  std::fill(ids + count, ids + k, std::int64_t{-1});
  std::fill(distances + count, distances + k, std::numeric_limits<float>::infinity());
}

// A prepared query as the walk takes it.
const void* HnswEngine::asked(const void* query, Worker& worker) const {
  if (traversal_ == nullptr) return query;
  worker.code_query.resize(traversal_->query_bytes());
  traversal_->prepare(query, worker.code_query.data());
  return worker.code_query.data();
}

// As hnsw::search, of slots that are alive, `living` in all; what is found on codes is ranked again by the rows.
std::size_t HnswEngine::find(const void* query, std::size_t k, const hnsw::Effort& effort, Worker& worker,
                             hnsw::Neighbor* out, std::uint32_t excluded, std::size_t living, Alive alive) const {
  if (k == 0) return 0;
  const void* const asked = this->asked(query, worker);
  const std::size_t count = living == linked_ ? walk(asked, k, effort, worker, excluded)
                                              : walk_on(asked, k, effort, worker, excluded, living, alive);
  hnsw::Neighbor* const candidates = worker.candidates.data();
  if (traversal_ != nullptr) rank(query, k, candidates, count, worker.scratch);
  const std::size_t found = std::min(k, count);
  std::copy_n(candidates, found, out);
  return found;
}

// What ranking by the rows wants beside k.
std::size_t HnswEngine::spare(std::size_t k) const { return traversal_ == nullptr ? 0 : traversal_->spare(k); }

// Leaves what a beam finds, and what codes have to be ranked for k beside it, in worker.candidates; returns how many
// there are.
std::size_t HnswEngine::walk(const void* asked, std::size_t k, const hnsw::Effort& effort, Worker& worker,
                             std::uint32_t excluded) const {
  const std::size_t kept = std::max(effort.width, k) + spare(k);
  if (worker.candidates.size() < kept) worker.candidates.resize(kept);
  return hnsw::search(graph_, walked(), asked, kept, effort, worker.scratch, worker.candidates.data(), excluded);
}

// As walk, for slots that are alive. The beam is made wider, and stops later, by as many as are likely to be no longer,
// and more so where they lie close together.
std::size_t HnswEngine::walk_on(const void* asked, std::size_t k, hnsw::Effort effort, Worker& worker,
                                std::uint32_t excluded, std::size_t living, Alive alive) const {
  const bool stops = effort.stop.rank != 0;
  const std::size_t enough = stops ? k : std::max(k, std::min(effort.ef, living) * kEnoughAlive / kEnoughOf);
  const auto expected_dead = [&](std::size_t n) { return n * (linked_ - living) / linked_ + 1; };
  std::size_t wider = expected_dead(effort.width), later = expected_dead(k);
  for (;;) {
    effort.width = std::min(effort.width + wider, linked_);
    if (stops) {
      effort.stop.rank += later;
      effort.stop.kept += later;
    }
    const std::size_t count = walk(asked, k, effort, worker, excluded);
    hnsw::Neighbor* const first = worker.candidates.data();
    const auto is_dead = [&](const hnsw::Neighbor& n) { return !alive(n.slot); };
    const std::size_t near = stops ? std::min(count, effort.stop.rank) : count;
    const std::size_t dead = static_cast<std::size_t>(std::count_if(first, first + near, is_dead));
    if (near - dead >= enough || effort.width == linked_ || dead == 0) {
      return static_cast<std::size_t>(std::remove_if(first, first + count, is_dead) - first);
    }
    wider = 2 * dead;
    later = dead;
  }
}

// Puts the k nearest by the rows first. The candidates come by the distance of their codes: once so many have been
// measured, those whose codes are too far off to be among them are left out.
void HnswEngine::rank(const void* query, std::size_t k, hnsw::Neighbor* candidates, std::size_t count,
                      hnsw::Scratch& scratch) const {
  const std::size_t first = std::min(count, k + k / 2);
  measure_exactly(exact_, query, candidates, first, scratch);
  std::size_t end = first;
  if (first < count) {
    std::nth_element(candidates, candidates + (k - 1), candidates + first, nearer);
    const float farthest = candidates[k - 1].distance;
    end = static_cast<std::size_t>(
        std::find_if(candidates + first, candidates + count,
                     [&](const hnsw::Neighbor& c) { return traversal_->least_distance(c.distance) > farthest; }) -
        candidates);
    measure_exactly(exact_, query, candidates + first, end - first, scratch);
  }
  std::partial_sort(candidates, candidates + std::min(k, end), candidates + end, nearer);
}

void HnswEngine::save(storage::ContainerWriter& writer) const {
  if (traversal_ != nullptr) traversal_->save(writer);
  write_graph(graph_, writer);
  storage::ByteWriter calibration, stops;
  learnt_.calibration.write(calibration);
  write_section(writer, "CALB", calibration);
  if (learnt_.stops.empty()) return;
  learnt_.stops.write(stops);
  write_section(writer, "STOP", stops);
}

void HnswEngine::load(const storage::ContainerReader& reader, bool verify) {
  graph_ = read_graph(reader, options_.hnsw, rows_.size());
  learnt_.calibration = read_section<Calibration>(reader, "CALB", "the calibration");
  if (reader.has("STOP")) learnt_.stops = read_section<EarlyStops>(reader, "STOP", "the early stops");
  if (Traversal::saved_in(reader)) traversal_ = std::make_unique<Traversal>(rows_, reader);
  if (verify) hnsw::validate(graph_, options_.hnsw, rows_.size());
  validated_ = verify;
  linked_ = rows_.size() - released().size();
}

void HnswEngine::describe(Stats& stats) const {
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
  if (linked_ != 0) stats.mean_degree = static_cast<double>(links) / static_cast<double>(linked_);
}

void HnswEngine::check(bool deep, CheckReport& report) const {
  hnsw::validate(graph_, options_.hnsw, rows_.size());
  for (const hnsw::Level& level : graph_.levels) {
    for (std::size_t node = 0; node < level.size; ++node) report.links += hnsw::degree(level.row(node), level.width);
  }
  if (!deep) return;
  const std::vector<bool> met = hnsw::reachable(graph_);
  for (std::uint32_t slot = 0; slot < met.size(); ++slot) report.reachable += met[slot] && id_map_.id(slot) != kNoId;
  if (report.reachable != id_map_.live()) {
    throw CorruptIndexError(std::to_string(id_map_.live() - report.reachable) + " of " +
                            std::to_string(id_map_.live()) + " vectors cannot be reached in the graph");
  }
}

}  // namespace hopspan::index
