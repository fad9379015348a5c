#include "hnsw/journal.h"

#include <algorithm>
#include <utility>

namespace hopspan::hnsw {

Journal::Journal(Graph& graph) : graph_(graph), entry_(graph.entry), entry_level_(graph.entry_level) {
  for (const Level& level : graph.levels) levels_.push_back({level.size, {}, {}, {}});
}

void Journal::save(std::size_t level, std::uint32_t node) {
  if (level == 0 && exchanged_.size() != 0) return;
  if (level >= levels_.size() || node >= levels_[level].size) return;
  LevelState& state = levels_[level];
  if (!state.saved.insert(node).second) return;
  const Level& now = graph_.levels[level];
  state.rows.insert(state.rows.end(), now.row(node), now.row(node) + now.width);
  state.nodes.push_back(node);
}

void Journal::exchange_links(core::Array<std::uint32_t>& links) noexcept {
  std::swap(graph_.levels[0].links, links);
  std::swap(exchanged_, links);
}

void Journal::take_links_back() noexcept {
  std::swap(graph_.levels[0].links, exchanged_);
  exchanged_ = {};
}

Journal::~Journal() {
  if (committed_) return;
  if (exchanged_.size() != 0) std::swap(graph_.levels[0].links, exchanged_);
  graph_.levels.resize(levels_.size());
  for (std::size_t l = 0; l < levels_.size(); ++l) restore(graph_.levels[l], levels_[l]);
  graph_.entry = entry_;
  graph_.entry_level = entry_level_;
}

void Journal::restore(Level& level, const LevelState& state) noexcept {
  level.size = state.size;
  if (level.slots.size() > state.size) level.slots.resize(state.size);
  if (level.below.size() > state.size) level.below.resize(state.size);
  if (level.links.size() > state.size * level.width) level.links.resize(state.size * level.width);
  for (std::size_t i = 0; i < state.nodes.size(); ++i) {
    std::copy_n(state.rows.data() + i * level.width, level.width,
                level.links.mutable_data() + state.nodes[i] * level.width);
  }
}

}  // namespace hopspan::hnsw
