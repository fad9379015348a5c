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

// Appends the slots, each of level `number` or higher, to that level; `nodes` holds their numbers one level below and
// receives their numbers here.
void grow_upper(Level& level, const std::vector<std::uint32_t>& slots, std::vector<std::uint32_t>& nodes) {
  const std::size_t before = level.size;
  level.slots.resize(before + slots.size());
  level.below.resize(before + slots.size());
  std::copy(slots.begin(), slots.end(), level.slots.mutable_data() + before);
  std::copy(nodes.begin(), nodes.end(), level.below.mutable_data() + before);
  grow(level, slots.size());
  for (std::size_t i = 0; i < slots.size(); ++i) nodes[i] = static_cast<std::uint32_t>(before + i);
}

}  // namespace

std::size_t random_level(std::uint64_t seed, std::uint32_t slot, std::uint32_t M) {
  const double height = -std::log(core::random_unit(seed ^ kLevelStream, slot)) / std::log(static_cast<double>(M));
  return std::min(static_cast<std::size_t>(height), kMaxLevels - 1);
}

std::vector<Newcomer> append_nodes(Graph& graph, std::size_t size, std::uint32_t M, std::uint64_t seed) {
  const std::size_t first = graph.size();
  std::vector<Newcomer> all(size - first);
  std::vector<std::uint32_t> slots;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::uint32_t slot = static_cast<std::uint32_t>(first + i);
    all[i] = {slot, static_cast<std::uint32_t>(random_level(seed, slot, M)), slot};
    if (all[i].level > 0) slots.push_back(slot);
  }
  grow(graph.levels[0], all.size());
  std::vector<std::uint32_t> nodes = slots;
  for (std::size_t number = 1; !slots.empty(); ++number) {
    grow_upper(level_at(graph, number, M), slots, nodes);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < slots.size(); ++i) {
      Newcomer& newcomer = all[slots[i] - first];
      newcomer.node = nodes[i];
      if (newcomer.level <= number) continue;
      slots[kept] = slots[i];
      nodes[kept++] = nodes[i];
    }
    slots.resize(kept);
    nodes.resize(kept);
  }
  return all;
}

}  // namespace hopspan::hnsw
