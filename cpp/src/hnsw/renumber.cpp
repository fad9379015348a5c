#include "hnsw/renumber.h"

#include <algorithm>
#include <utility>

namespace hopspan::hnsw {
namespace {

using Numbers = std::vector<std::uint32_t>;

core::Array<std::uint32_t> copy(const core::Array<std::uint32_t>& values) {
  core::Array<std::uint32_t> result;
  result.resize(values.size());
  std::copy_n(values.data(), values.size(), result.mutable_data());
  return result;
}

Level copy(const Level& level) {
  Level result;
  result.slots = copy(level.slots);
  result.below = copy(level.below);
  result.links = copy(level.links);
  result.width = level.width;
  result.size = level.size;
  return result;
}

void renumber(core::Array<std::uint32_t>& values, const Numbers& numbers) {
  std::uint32_t* const begin = values.mutable_data();
  std::transform(begin, begin + values.size(), begin, [&](std::uint32_t value) { return numbers[value]; });
}

void map_row(const std::uint32_t* row, std::size_t width, const Numbers& numbers, std::uint32_t* out) {
  for (std::size_t i = 0; i < width; ++i) {
    out[i] = row[i] == kNone ? kNone : numbers[target(row[i])] | (row[i] & kTreeBit);
  }
}

}  // namespace

std::vector<std::uint32_t> numbering(const std::vector<std::uint32_t>& kept, std::size_t size) {
  std::vector<std::uint32_t> numbers(size, kNone);
  for (std::size_t i = 0; i < kept.size(); ++i) numbers[kept[i]] = static_cast<std::uint32_t>(i);
  return numbers;
}

Level keep_nodes(const Level& level, const std::vector<std::uint32_t>& kept, const std::vector<std::uint32_t>& numbers,
                 const std::vector<std::uint32_t>* below_numbers) {
  Level result;
  result.width = level.width;
  result.size = kept.size();
  result.links.resize(kept.size() * level.width);
  std::uint32_t* const links = result.links.mutable_data();
  for (std::size_t i = 0; i < kept.size(); ++i) {
    map_row(level.row(kept[i]), level.width, numbers, links + i * level.width);
  }
  if (level.slots.size() == 0) return result;
  result.slots.resize(kept.size());
  result.below.resize(kept.size());
  std::uint32_t* const slots = result.slots.mutable_data();
  std::uint32_t* const below = result.below.mutable_data();
  for (std::size_t i = 0; i < kept.size(); ++i) {
    slots[i] = level.slots[kept[i]];
    below[i] = below_numbers == nullptr ? level.below[kept[i]] : (*below_numbers)[level.below[kept[i]]];
  }
  return result;
}

Graph copy(const Graph& graph) {
  Graph result;
  result.entry = graph.entry;
  result.entry_level = graph.entry_level;
  result.replaced = graph.replaced;
  for (const Level& level : graph.levels) result.levels.push_back(copy(level));
  return result;
}

Graph keep_slots(const Graph& graph, const std::vector<std::uint32_t>& kept) {
  const Numbers numbers = numbering(kept, graph.size());
  Graph result;
  result.replaced = graph.replaced;
  result.entry = graph.levels.size() == 1 && graph.entry != kNone ? numbers[graph.entry] : graph.entry;
  result.entry_level = graph.entry_level;
  result.levels.push_back(keep_nodes(graph.levels[0], kept, numbers, nullptr));
  for (std::size_t l = 1; l < graph.levels.size(); ++l) {
    const Level& level = graph.levels[l];
    Level above = copy(level);
    if (l == 1) renumber(above.below, numbers);
    renumber(above.slots, numbers);
    result.levels.push_back(std::move(above));
  }
  return result;
}

}  // namespace hopspan::hnsw
