// How lists change: vectors join them and leave them; when there are twice as many, or much of where they lie has
// changed, the lists are made anew.
#include <algorithm>
#include <cstring>
#include <utility>

#include "hnsw/renumber.h"
#include "index/list_sections.h"
#include "index/spann_engine.h"
#include "index/spann_options.h"
#include "spann/lists/product_coder.h"
#include "spann/update/rewrite.h"
#include "spann/update/update.h"

namespace hopspan::index {
namespace {

constexpr std::size_t kCalibrateFrom = 1000;  // smaller indexes are searched with full effort
constexpr std::size_t kRebuildGrowth = 2;     // lists are made anew when the index has grown as much
constexpr std::size_t kWornShare = 4;         // or as many heads have moved as one of so many lists

// Looks whether the caller wants to stop.
Progress cancel_only(const AddOptions& options, std::size_t total) {
  if (!options.progress) return {};
  return [&options, total](std::size_t, std::size_t) { options.progress(0, total); };
}

}  // namespace

// What changes lists trusts them. removed: slots that have lost their ids and are still in lists.
void SpannEngine::validate_once(const Slots& removed) {
  if (!validated_) {
    validate(state_.lists, rows_.format().dim, options_.metric, rows_.size(),
             [&](std::uint32_t slot) { return id_map_.id(slot) != kNoId || has(removed, slot); });
  }
  validated_ = true;
}

void SpannEngine::insert(const Slots& added, const Slots& leaving, const AddOptions& options) {
  if (added.empty()) return;
  validate_once({});
  const std::size_t living = id_map_.live() + added.size() - leaving.size();
  Slots gone = united(gone_, leaving);
  const bool worn = state_.moved > state_.lists.lists.size() / kWornShare;
  if (state_.size != 0 && living < kRebuildGrowth * state_.built_size && !worn) {
    update(leaving, added, living, options);
  } else {
    Slots slots;
    for (std::uint32_t slot = 0; slot < rows_.size(); ++slot) {
      if (has(added, slot) || (id_map_.id(slot) != kNoId && !has(leaving, slot))) slots.push_back(slot);
    }
    build_anew(slots, options);
  }
  gone_ = std::move(gone);
}

Slots SpannEngine::release(const Slots& removed, const AddOptions& options) {
  validate_once(removed);
  Slots released = united(gone_, removed);
  const Slots leaving = without(removed, gone_);
  if (id_map_.live() == 0) {
    state_ = {};
    ledger_.reset();
  } else if (!leaving.empty()) {
    update(leaving, {}, id_map_.live(), options);
  }
  gone_.clear();
  return released;
}

// Calibration searches the new lists, so they go in first, and come out again when it throws.
void SpannEngine::build_anew(const Slots& slots, const AddOptions& options) {
  const std::size_t total = slots.size() - std::min(slots.size(), state_.size);
  const Progress cancel = cancel_only(options, total);
  const spann::PickedFloats vectors(rows_, slots);
  State fresh;
  fresh.lists = spann::build(vectors, memory_options(options_, slots.size(), options.threads), cancel);
  Slots holes;
  if (slots.size() != rows_.size()) {
    const distance::ScanShape shape = spann::product_shape(rows_.format().dim, options_.metric);
    for (spann::ListArray& list : fresh.lists.lists) spann::renumber(slots, shape, list);
    for (std::uint32_t slot = 0; slot < rows_.size(); ++slot) {
      if (!has(slots, slot)) holes.push_back(slot);
    }
  }
  fresh.heads = rank(fresh.lists.heads);
  fresh.size = fresh.built_size = slots.size();
  fresh.copies = count_entries(fresh.lists);
  std::swap(state_, fresh);
  try {
    if (state_.size >= kCalibrateFrom) state_.calibration = calibrate_held_out({options.threads, cancel}, holes);
    if (options.progress) options.progress(total, total);
  } catch (...) {
    std::swap(state_, fresh);
    throw;
  }
  ledger_.reset();
}

void SpannEngine::update(const Slots& removed, const Slots& added, std::size_t living, const AddOptions& options) {
  const std::size_t dim = rows_.format().dim;
  const auto pack = [dim](const std::vector<float>& heads) {
    return std::make_unique<const spann::Centers>(heads.data(), heads.size() / dim, dim);
  };
  if (ledger_ == nullptr) {
    const distance::ScanShape shape = spann::product_shape(dim, options_.metric);
    const std::size_t most = memory_options(options_, living, options.threads).replicas.most;
    ledger_ = std::make_unique<Ledger>(
        Ledger{spann::Places(state_.lists, shape, rows_.size(), most), pack(state_.lists.heads)});
  }
  const spann::MatrixFloats vectors(rows_);
  spann::Update update(state_.lists, *ledger_->centers, ledger_->places, vectors, living,
                       memory_options(options_, living, options.threads), cancel_only(options, added.size()));
  spann::Patch patch = update.run(removed, added);
  const bool moved = !patch.heads.empty();
  auto heads = moved ? rank(patch.heads) : nullptr;
  auto centers = moved ? pack(patch.heads) : nullptr;
  state_.lists.lists.reserve(patch.count);
  if (options.progress) options.progress(added.size(), added.size());
  update.apply(patch, state_.lists);
  if (moved) {
    state_.heads = std::move(heads);
    ledger_->centers = std::move(centers);
  }
  state_.size = living;
  state_.copies = count_entries(state_.lists);
  state_.moved += patch.moved;
}

void SpannEngine::keep(const Slots& kept) {
  if (kept.empty()) {
    state_ = {};
  } else {
    const distance::ScanShape shape = spann::product_shape(rows_.format().dim, options_.metric);
    const std::vector<std::uint32_t> numbers = hnsw::numbering(kept, rows_.size());
    std::vector<spann::ListArray> lists(state_.lists.lists.size());
    for (std::size_t l = 0; l < lists.size(); ++l) {
      lists[l].resize(state_.lists.lists[l].size());
      std::memcpy(lists[l].mutable_data(), state_.lists.lists[l].data(), lists[l].size());
      spann::renumber(numbers, shape, lists[l]);
    }
    state_.lists.lists.swap(lists);
    state_.built_size = std::min(state_.built_size, kept.size());
  }
  ledger_.reset();
  gone_.clear();
}

}  // namespace hopspan::index
