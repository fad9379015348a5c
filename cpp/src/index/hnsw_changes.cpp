// How a graph changes: what comes is linked, at once or later; what was removed is taken out, many at a time.
#include <algorithm>
#include <optional>
#include <utility>

#include "hnsw/consolidate.h"
#include "hnsw/insert.h"
#include "hnsw/newcomers.h"
#include "hnsw/renumber.h"
#include "index/hnsw_engine.h"

namespace hopspan::index {
namespace {

constexpr std::size_t kCalibrateFrom = 1000;  // smaller indexes are searched with full effort
constexpr std::size_t kRemovedShare = 64;     // a graph is consolidated when one of so many slots was removed
constexpr std::size_t kRebuildShare = 2;      // and built anew when one of so many was
constexpr std::size_t kWornShare = 8;         // links are chosen anew when one of so many was replaced

void take_out(const Slots& taken, Slots& slots) noexcept {
  if (taken.empty()) return;
  const auto first = std::lower_bound(slots.begin(), slots.end(), taken.front());
  const auto last = std::upper_bound(first, slots.end(), taken.back());
  slots.erase(std::remove_if(first, last, [&](std::uint32_t slot) { return has(taken, slot); }), last);
}

}  // namespace

// Insertion and consolidation follow links unchecked.
void HnswEngine::validate_once() {
  if (!validated_) mutex_.aside([&] { hnsw::validate(graph_, options_.hnsw, graph_.size()); });
  validated_ = true;
}

void HnswEngine::reformat() noexcept {
  exact_ = hnsw::Space(rows_);
  among_ = hnsw::Space::among(rows_);
}

void HnswEngine::insert(const Slots& added, const Slots& leaving, const AddOptions& options) {
  const std::size_t living = id_map_.live() + added.size() - leaving.size();
  const auto link = [&] { join(added, leaving, living, options); };
  const std::size_t rows = rows_.size();
  should_learn_codes(rows) ? learn_codes(rows, options, link) : encode(added, options, link);
}

void HnswEngine::defer(const Slots& added, const Slots&, const AddOptions& options) {
  const std::size_t before = pending_.size();
  pending_.insert(pending_.end(), added.begin(), added.end());
  try {
    encode(added, options, [&] {
      if (options.progress) mutex_.aside([&] { options.progress(added.size(), added.size()); });
    });
  } catch (...) {
    pending_.resize(before);
    throw;
  }
  std::inplace_merge(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(before), pending_.end());
}

void HnswEngine::link(std::size_t count, const AddOptions& options) {
  const auto end = pending_.begin() + static_cast<std::ptrdiff_t>(std::min(count, pending_.size()));
  const Slots first(pending_.begin(), end);
  const auto later = std::count_if(end, pending_.end(), [&](std::uint32_t slot) { return id_map_.id(slot) != kNoId; });
  const auto link = [&] { join(first, {}, id_map_.live() - static_cast<std::size_t>(later), options); };
  const std::size_t rows = rows_up_to(first);
  should_learn_codes(rows) ? learn_codes(rows, options, link) : link();
  take_out(first, pending_);
}

// Links slots that are coded. living: how many with an id the graph holds then.
void HnswEngine::join(const Slots& slots, const Slots& leaving, std::size_t living, const AddOptions& options) {
  if (slots.empty()) return;
  validate_once();
  std::optional<Learnt> fresh;
  const bool stale = living >= kCalibrateFrom && living > 2 * learnt_.calibration.size();
  const bool worn = living >= kCalibrateFrom && hnsw::replaced_with(graph_, slots) > living / kWornShare;
  hnsw::Joining joining{slots, {}, stale || worn, &mutex_};
  if (linked_ + pending_.size() != id_map_.live() || !leaving.empty()) {
    joining.is_dead = [&](std::uint32_t slot) {
      return id_map_.id(slot) == kNoId ? !has(slots, slot) : has(leaving, slot);
    };
  }
  std::optional<Rehearsal> measured;
  if (stale) {
    measured = rehearsal(slots, leaving);
    joining.late = measured->late;
  }
  const std::size_t early = slots.size() - joining.late.size();
  linked_ += early;
  const auto accept = [&] {
    if (measured) fresh = learn(*measured, living, options);
  };
  try {
    std::unique_ptr<Traversal> codes = joining.refine ? codes_to_link_by(rows_up_to(slots), options) : nullptr;
    hnsw::insert(graph_, codes == nullptr ? linked_by() : codes->space(), joining, options_.hnsw, options_.seed,
                 options.threads, options.progress, accept);
    mutex_.aside([&] {
      codes.reset();
      measured.reset();
      if (joining.refine) core::release_freed();
    });
  } catch (...) {
    linked_ -= early;
    throw;
  }
  linked_ += joining.late.size();
  if (fresh) learnt_ = std::move(*fresh);
}

// How many rows there were when these were the last: later ones, which are pending, shall not matter.
std::size_t HnswEngine::rows_up_to(const Slots& slots) const {
  return std::max(graph_.size(), std::size_t{slots.back()} + 1);
}

bool HnswEngine::should_learn_codes(std::size_t rows) const {
  return Traversal::serves(options_, rows_.format(), rows) && (traversal_ == nullptr || traversal_->outgrown(rows));
}

// Makes codes anew, learnt from the first `rows`, and calls `then`; when that throws, the codes are as they were.
void HnswEngine::learn_codes(std::size_t rows, const AddOptions& options, core::FunctionRef<void()> then) {
  std::unique_ptr<Traversal> learnt;
  mutex_.aside([&] { learnt = std::make_unique<Traversal>(rows_, rows, options_, options); });
  traversal_.swap(learnt);
  try {
    then();
  } catch (...) {
    traversal_.swap(learnt);
    throw;
  }
}

// Brings the codes up to the rows and calls `then`; when that throws, the codes are as they were.
void HnswEngine::encode(const Slots& added, const AddOptions& options, core::FunctionRef<void()> then) {
  if (traversal_ == nullptr) return then();
  Traversal::Before before = traversal_->encode(added, options);
  try {
    then();
  } catch (...) {
    traversal_->undo(added, before);
    throw;
  }
}

// Codes to choose the links of all nodes by where the rows are what is walked: a build takes half the time with them
// (docs/decisions/0010). Null where it has to be the rows.
std::unique_ptr<Traversal> HnswEngine::codes_to_link_by(std::size_t rows, const AddOptions& options) {
  IndexOptions coded = options_;
  coded.hnsw.codes = CodeKind::kSq8;
  if (traversal_ != nullptr || !Traversal::serves(coded, rows_.format(), rows)) return nullptr;
  std::unique_ptr<Traversal> codes;
  mutex_.aside([&] { codes = std::make_unique<Traversal>(rows_, rows, coded, options); });
  return codes->tells_apart() ? std::move(codes) : nullptr;
}

// Removed slots stay in the graph, as waypoints that no search finds, until there are enough of them to pay for a look
// at every row. Pending ones are free at once.
Slots HnswEngine::release(const Slots& removed, const AddOptions& options) {
  Slots slots = common(pending_, removed);
  const std::size_t waypoints = linked_ + pending_.size() - slots.size() - id_map_.live();
  if (waypoints != 0 && waypoints * kRemovedShare >= linked_) {
    const std::size_t unlinked = slots.size();
    slots.reserve(unlinked + waypoints);
    const Slots taken(slots);
    for (const std::uint32_t slot : sweep(waypoints, options)) slots.push_back(slot);
    std::inplace_merge(slots.begin(), slots.begin() + static_cast<std::ptrdiff_t>(unlinked), slots.end());
    take_out(taken, pending_);
  } else {
    take_out(slots, pending_);
  }
  return slots;
}

// Takes the waypoints, of which there are so many, out of the graph; returns their slots.
Slots HnswEngine::sweep(std::size_t waypoints, const AddOptions& options) {
  validate_once();
  Slots slots;
  std::vector<bool> dead(rows_.size());
  hnsw::Graph anew;
  mutex_.aside([&] {
    slots = id_map_.holes();
    for (const std::uint32_t slot : slots) dead[slot] = true;
    for (const std::uint32_t slot : pending_) dead[slot] = true;
    const auto is_free = [&](std::uint32_t slot) { return !in_graph(slot); };
    slots.erase(std::remove_if(slots.begin(), slots.end(), is_free), slots.end());
    anew = waypoints * kRebuildShare > linked_
               ? rebuild(options)
               : hnsw::consolidated(graph_, linked_by(), dead, options.threads, options.progress);
  });
  std::swap(graph_, anew);
  linked_ -= slots.size();
  mutex_.aside([&] { anew = hnsw::Graph(); });
  return slots;
}

// The graph of its slots that have an id.
hnsw::Graph HnswEngine::rebuild(const AddOptions& options) const {
  hnsw::Graph graph(options_.hnsw);
  hnsw::Joining joining;
  for (std::uint32_t slot = 0; slot < rows_.size(); ++slot) {
    if (id_map_.id(slot) != kNoId && in_graph(slot)) joining.slots.push_back(slot);
  }
  if (joining.slots.empty()) return graph;
  joining.refine = joining.slots.size() >= kCalibrateFrom;
  hnsw::insert(graph, linked_by(), joining, options_.hnsw, options_.seed, options.threads, options.progress);
  hnsw::append_free(graph, graph_.size());
  return graph;
}

void HnswEngine::keep(const Slots& kept) {
  if (kept.empty()) {
    graph_ = hnsw::Graph(options_.hnsw);
    traversal_.reset();
    learnt_ = {};
    return;
  }
  const std::vector<std::uint32_t> numbers = hnsw::numbering(kept, rows_.size());
  const Slots in_graph(kept.begin(), std::lower_bound(kept.begin(), kept.end(), graph_.size()));
  hnsw::Graph graph = hnsw::keep_slots(graph_, in_graph);
  if (traversal_ != nullptr) traversal_->keep(kept);
  graph_ = std::move(graph);
  for (std::uint32_t& slot : pending_) slot = numbers[slot];
}

}  // namespace hopspan::index
