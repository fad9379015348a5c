#include "hnsw/tree.h"

#include <algorithm>
#include <string>
#include <unordered_set>
#include <vector>

#include "hopspan/error.h"

namespace hopspan::hnsw {

std::size_t tree_degree(const Level& level, std::uint32_t node) {
  const std::uint32_t* row = level.row(node);
  return static_cast<std::size_t>(
      std::count_if(row, row + level.width, [](std::uint32_t link) { return link != kNone && is_tree(link); }));
}

std::uint32_t find_room(const Level& level, std::uint32_t start) {
  std::vector<std::uint32_t> open{start};
  std::unordered_set<std::uint32_t> met{start};
  for (std::size_t i = 0; i < open.size(); ++i) {
    const std::uint32_t* row = level.row(open[i]);
    if (tree_degree(level, open[i]) < max_tree_degree(level)) return open[i];
    for (std::size_t j = 0; j < level.width && row[j] != kNone; ++j) {
      if (is_tree(row[j]) && met.insert(target(row[j])).second) open.push_back(target(row[j]));
    }
  }
  throw CorruptIndexError("the spanning tree around graph node " + std::to_string(start) + " has no end");
}

void add_tree_link(const Level& level, std::uint32_t* links, std::uint32_t from, std::uint32_t to) {
  std::uint32_t* row = links + from * level.width;
  std::size_t at = static_cast<std::size_t>(std::find(row, row + level.width, to) - row);
  if (at == level.width) at = degree(row, level.width);
  if (at == level.width) {
    do {
      --at;
    } while (is_tree(row[at]));
  }
  row[at] = to | kTreeBit;
}

}  // namespace hopspan::hnsw
