#include "hnsw/row_chooser.h"

#include <algorithm>

#include "hnsw/scratch.h"

namespace hopspan::hnsw {

void RowChooser::choose(const Level& level, const Space& space, std::uint32_t node,
                        const std::vector<std::uint32_t>& links, std::uint32_t* row, std::size_t own,
                        std::size_t wanted) {
  slots_.clear();
  for (const std::uint32_t link : links) slots_.push_back(level.slot(target(link)));
  distances_.resize(links.size());
  space.distances(space.as_query(level.slot(node), query_), slots_.data(), links.size(), distances_.data());
  keys_.clear();
  candidates_.clear();
  kept_.clear();
  for (std::size_t i = 0; i < links.size(); ++i) {
    keys_.push_back(make_key(distances_[i], target(links[i])));
    (is_tree(links[i]) ? kept_ : candidates_).push_back(keys_[i]);
  }
  std::sort(kept_.begin(), kept_.end());
  const std::size_t tree = kept_.size();
  selector_.select(level, space, candidates_, level.width, 0, kept_);
  if (kept_.size() < wanted) {
    const auto rest = keys_.begin() + static_cast<std::ptrdiff_t>(own);
    std::sort(keys_.begin(), rest);
    std::sort(rest, keys_.end());
  }
  for (std::size_t i = 0; i < keys_.size() && kept_.size() < wanted; ++i) {
    if (std::find(kept_.begin(), kept_.end(), keys_[i]) == kept_.end()) kept_.push_back(keys_[i]);
  }
  std::fill(row, row + level.width, kNone);
  for (std::size_t i = 0; i < kept_.size(); ++i) row[i] = key_node(kept_[i]) | (i < tree ? kTreeBit : 0);
}

}  // namespace hopspan::hnsw
