#include "hnsw/newcomers.h"

#include <algorithm>
#include <cmath>

#include "core/random.h"

namespace hopspan::hnsw {
namespace {

constexpr std::uint64_t kLevelStream = 0x6C6576656C;  // "level"

// Appends `count` nodes with empty rows.
void grow(Level& level, std::size_t count) {
  const std::size_t before = level.size * level.width;
  level.links.resize(before + count * level.width);
  std::uint32_t* links = level.links.mutable_data();
  std::fill(links + before, links + level.links.size(), kNone);
  level.size += count;
}

Level& level_at(Graph& graph, std::size_t number, std::uint32_t M) {
  while (graph.levels.size() <= number) {
    graph.levels.emplace_back();
    graph.levels.back().width = M;
  }
  return graph.levels[number];
}

// Appends the newcomers at `places` to that level; `node` of each is its number one level below and becomes its number
// here.
void grow_upper(Level& level, const std::vector<std::size_t>& places, std::vector<Newcomer>& all) {
  const std::size_t before = level.size;
  level.slots.resize(before + places.size());
  level.below.resize(before + places.size());
  std::uint32_t* const slots = level.slots.mutable_data() + before;
  std::uint32_t* const below = level.below.mutable_data() + before;
  grow(level, places.size());
  for (std::size_t i = 0; i < places.size(); ++i) {
    Newcomer& newcomer = all[places[i]];
    slots[i] = newcomer.slot;
    below[i] = newcomer.node;
    newcomer.node = static_cast<std::uint32_t>(before + i);
  }
}

}  // namespace

std::size_t random_level(std::uint64_t seed, std::uint32_t slot, std::uint32_t M) {
  const double height = -std::log(core::random_unit(seed ^ kLevelStream, slot)) / std::log(static_cast<double>(M));
  return std::min(static_cast<std::size_t>(height), kMaxLevels - 1);
}

std::vector<Newcomer> append_nodes(Graph& graph, const std::vector<std::uint32_t>& slots, std::uint32_t M,
                                   std::uint64_t seed) {
  std::vector<Newcomer> all(slots.size());
  std::vector<std::size_t> rising;  // places of those that are on the level at hand
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i] = {slots[i], static_cast<std::uint32_t>(random_level(seed, slots[i], M)), slots[i]};
    if (all[i].level > 0) rising.push_back(i);
  }
  append_free(graph, std::size_t{slots.back()} + 1);
  for (std::size_t number = 1; !rising.empty(); ++number) {
    grow_upper(level_at(graph, number, M), rising, all);
    const auto stays = [&](std::size_t i) { return all[i].level <= number; };
    rising.erase(std::remove_if(rising.begin(), rising.end(), stays), rising.end());
  }
  return all;
}

void append_free(Graph& graph, std::size_t size) {
  if (size > graph.size()) grow(graph.levels[0], size - graph.size());
}

}  // namespace hopspan::hnsw
