#include "hnsw/select.h"

#include <algorithm>

#include "hnsw/scratch.h"

namespace hopspan::hnsw {

std::size_t least_degree(const HnswOptions& options, const Level& level, const Space& space) {
  if (options.keep_pruned_connections) return out_degree(options, level);
  return space.is_product() ? options.M : 0;
}

void prefer_living(const std::function<bool(std::uint32_t slot)>& is_dead, const Level& level,
                   std::vector<std::uint64_t>& candidates) {
  const auto lives = [&](std::uint64_t key) { return !is_dead(level.slot(key_node(key))); };
  const auto dead = std::stable_partition(candidates.begin(), candidates.end(), lives);
  if (dead != candidates.begin()) candidates.erase(dead, candidates.end());
}

void Selector::select(const Level& level, const Space& space, std::vector<std::uint64_t>& candidates, std::size_t max,
                      std::size_t filled, std::vector<std::uint64_t>& kept) {
  dropped_.clear();
  std::sort(candidates.begin(), candidates.end());
  for (const std::uint64_t key : kept) drop_shadowed(level, space, key, candidates, 0);
  std::size_t first = 0;
  while (first < candidates.size() && kept.size() < max) {
    kept.push_back(candidates[first++]);
    if (kept.size() < max) drop_shadowed(level, space, kept.back(), candidates, first);
  }
  if (kept.size() >= filled) return;
  std::sort(dropped_.begin(), dropped_.end());
  const std::size_t room = std::min(filled - kept.size(), dropped_.size());
  kept.insert(kept.end(), dropped_.begin(), dropped_.begin() + static_cast<std::ptrdiff_t>(room));
}

void Selector::drop_shadowed(const Level& level, const Space& space, std::uint64_t chosen,
                             std::vector<std::uint64_t>& candidates, std::size_t first) {
  const std::size_t count = candidates.size() - first;
  if (count == 0) return;
  slots_.resize(count);
  distances_.resize(count);
  for (std::size_t i = 0; i < count; ++i) slots_[i] = level.slot(key_node(candidates[first + i]));
  const void* query = space.as_query(level.slot(key_node(chosen)), query_);
  space.distances(query, slots_.data(), count, distances_.data());
  std::size_t end = first;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t key = candidates[first + i];
    if (distances_[i] * slack_ < key_distance(key)) {
      dropped_.push_back(key);
    } else {
      candidates[end++] = key;
    }
  }
  candidates.resize(end);
}

}  // namespace hopspan::hnsw
