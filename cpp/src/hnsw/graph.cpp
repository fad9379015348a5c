#include "hnsw/graph.h"

#include <algorithm>
#include <string>

#include "hopspan/error.h"

namespace hopspan::hnsw {
namespace {

[[noreturn]] void corrupt(std::size_t level, const std::string& what) {
  throw CorruptIndexError("graph level " + std::to_string(level) + ": " + what);
}

bool is_empty(const Level& level, std::size_t node) { return level.row(node)[0] == kNone; }

std::vector<bool> empty_rows(const Level& level) {
  std::vector<bool> empty;
  for (std::size_t node = 0; node < level.size; ++node) {
    if (!is_empty(level, node)) continue;
    empty.resize(level.size);
    empty[node] = true;
  }
  return empty;
}

void validate_rows(const Level& level, std::size_t number) {
  const std::vector<bool> empty = empty_rows(level);
  std::vector<std::uint32_t> seen;
  for (std::size_t node = 0; node < level.size; ++node) {
    const std::uint32_t* row = level.row(node);
    const std::size_t count = degree(row, level.width);
    seen.assign(row, row + count);
    for (std::uint32_t& link : seen) {
      link = target(link);
      if (link >= level.size || link == node) {
        corrupt(number, "node " + std::to_string(node) + " of " + std::to_string(level.size) + " links to " +
                            std::to_string(link));
      }
      if (!empty.empty() && empty[link]) {
        corrupt(number, "node " + std::to_string(node) + " links to node " + std::to_string(link) + ", which is free");
      }
    }
    std::sort(seen.begin(), seen.end());
    if (std::adjacent_find(seen.begin(), seen.end()) != seen.end()) {
      corrupt(number, "node " + std::to_string(node) + " has a link twice");
    }
    if (std::any_of(row + count, row + level.width, [](std::uint32_t link) { return link != kNone; })) {
      corrupt(number, "node " + std::to_string(node) + " has a link behind its last one");
    }
  }
}

void validate_numbering(const Level& level, const Level& below, std::size_t number) {
  if (level.slots.size() != level.size || level.below.size() != level.size) corrupt(number, "sizes disagree");
  for (std::size_t node = 0; node < level.size; ++node) {
    const std::uint32_t lower = level.below[node];
    if (lower >= below.size || below.slot(lower) != level.slots[node]) {
      corrupt(number, "node " + std::to_string(node) + " is not itself one level below");
    }
  }
}

}  // namespace

Graph::Graph(const HnswOptions& options) {
  levels.emplace_back();
  levels[0].width = std::size_t{2} * options.M;
}

std::size_t out_degree(const HnswOptions& options, const Level& level) {
  if (level.slots.size() != 0) return options.M;
  return std::min<std::size_t>(level.width, options.M + options.M / 2);
}

std::size_t degree(const std::uint32_t* row, std::size_t width) {
  return static_cast<std::size_t>(std::find(row, row + width, kNone) - row);
}

void validate(const Graph& graph, const HnswOptions& options, std::size_t size) {
  if (graph.levels.empty() || graph.levels.size() > kMaxLevels) corrupt(0, "bad number of levels");
  if (graph.size() != size || size > kMaxNodes)
    corrupt(0, "holds " + std::to_string(graph.size()) + " nodes, not " + std::to_string(size));
  for (std::size_t number = 0; number < graph.levels.size(); ++number) {
    const Level& level = graph.levels[number];
    const std::size_t width = std::size_t{options.M} * (number == 0 ? 2 : 1);
    if (level.width != width || level.links.size() / width != level.size || level.links.size() % width != 0) {
      corrupt(number, "sizes disagree");
    }
    if (number > 0) validate_numbering(level, graph.levels[number - 1], number);
    validate_rows(level, number);
  }
  const bool on_top = graph.entry_level + 1 == graph.levels.size();
  const bool entry_ok = on_top && (size == 0 ? graph.entry == kNone : graph.entry < graph.levels.back().size);
  if (!entry_ok) corrupt(graph.levels.size() - 1, "no entry point " + std::to_string(graph.entry));
}

std::vector<bool> reachable(const Graph& graph) {
  const Level& base = graph.levels[0];
  std::vector<bool> met(base.size);
  if (graph.entry == kNone) return met;
  std::vector<std::uint32_t> open{graph.entry_slot()};
  met[open[0]] = true;
  while (!open.empty()) {
    const std::uint32_t* row = base.row(open.back());
    open.pop_back();
    for (std::size_t i = 0; i < base.width && row[i] != kNone; ++i) {
      const std::uint32_t node = target(row[i]);
      if (met[node]) continue;
      met[node] = true;
      open.push_back(node);
    }
  }
  return met;
}

std::size_t count_reachable(const Graph& graph) {
  const std::vector<bool> met = reachable(graph);
  return static_cast<std::size_t>(std::count(met.begin(), met.end(), true));
}

}  // namespace hopspan::hnsw
