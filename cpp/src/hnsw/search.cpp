#include "hnsw/search.h"

#include <limits>
#include <string>

#include "core/prefetch.h"
#include "hopspan/error.h"

namespace hopspan::hnsw {
namespace {

[[noreturn]] void bad_link(std::uint32_t node, std::uint32_t link, std::size_t size) {
  throw CorruptIndexError("graph node " + std::to_string(node) + " links to " + std::to_string(link) + " of " +
                          std::to_string(size) + " nodes");
}

// Collects the nodes that `node` links to and `wanted` accepts into scratch.nodes and their slots; returns how many.
// `rows` is how many vectors there are.
template <bool kBase, typename Wanted>
std::size_t gather(const Level& level, std::size_t rows, std::uint32_t node, Scratch& scratch, std::uint32_t excluded,
                   Wanted&& wanted) {
  const std::uint32_t* row = level.row(node);
  std::uint32_t* slots = scratch.slots.data();
  std::uint32_t* nodes = scratch.nodes.data();
  std::size_t count = 0;
  for (std::size_t i = 0; i < level.width && row[i] != kNone; ++i) {
    const std::uint32_t next = target(row[i]);
    if (next >= level.size) bad_link(node, next, level.size);
    const std::uint32_t slot = kBase ? next : level.slots[next];
    if (!kBase && slot >= rows) bad_link(node, slot, rows);
    if (slot == excluded || !wanted(next)) continue;
    slots[count] = slot;
    if (!kBase) nodes[count] = next;
    ++count;
  }
  return count;
}

void measure(const Space& space, const void* query, std::size_t count, Scratch& scratch) {
  space.distances(query, scratch.slots.data(), count, scratch.distances.data());
  ++scratch.counters.expansions;
  scratch.counters.distances += count;
}

template <bool kBase>
void expand_all(const Level& level, const Space& space, const void* query, Scratch& scratch, std::uint32_t excluded) {
  Pool& pool = scratch.pool;
  Visited& visited = scratch.visited;
  const std::uint32_t* nodes = kBase ? scratch.slots.data() : scratch.nodes.data();
  while (pool.has_open()) {
    const std::uint32_t node = pool.take();
    const std::size_t count =
        gather<kBase>(level, space.rows().size(), node, scratch, excluded,
                      [&](std::uint32_t next) { return visited.insert(next); });
    if (pool.has_open()) core::prefetch(level.row(pool.next_open()), level.width * sizeof(std::uint32_t));
    measure(space, query, count, scratch);
    for (std::size_t i = 0; i < count; ++i) pool.insert(make_key(scratch.distances[i], nodes[i]));
  }
}

std::uint32_t step_down(const Graph& graph, std::size_t level, std::uint32_t node) {
  const std::uint32_t below = graph.levels[level].below[node];
  if (below >= graph.levels[level - 1].size) bad_link(node, below, graph.levels[level - 1].size);
  return below;
}

float entry_distance(const Space& space, const void* query, std::uint32_t slot, std::uint32_t excluded) {
  return slot == excluded ? std::numeric_limits<float>::infinity() : space.distance(query, slot);
}

}  // namespace

std::uint32_t descend(const Level& level, const Space& space, const void* query, std::uint32_t node, Scratch& scratch,
                      std::uint32_t excluded) {
  scratch.fit(level.width);
  float best = entry_distance(space, query, level.slot(node), excluded);
  for (bool moved = true; moved;) {
    moved = false;
    const std::size_t count = gather<false>(level, space.rows().size(), node, scratch, excluded,
                                            [](std::uint32_t) { return true; });
    measure(space, query, count, scratch);
    for (std::size_t i = 0; i < count; ++i) {
      if (scratch.distances[i] < best) {
        best = scratch.distances[i];
        node = scratch.nodes[i];
        moved = true;
      }
    }
  }
  return node;
}

void beam(const Level& level, const Space& space, const void* query, std::size_t ef, Scratch& scratch,
          std::uint32_t excluded) {
  scratch.fit(level.width);
  scratch.visited.reset(ef);
  for (std::size_t i = 0; i < scratch.pool.size(); ++i) scratch.visited.insert(key_node(scratch.pool[i]));
  if (level.slots.size() == 0) {
    expand_all<true>(level, space, query, scratch, excluded);
  } else {
    expand_all<false>(level, space, query, scratch, excluded);
  }
}

std::size_t search(const Graph& graph, const Space& space, const void* query, std::size_t k, std::size_t ef,
                   Scratch& scratch, Neighbor* out, std::uint32_t excluded) {
  if (graph.size() == 0) return 0;
  std::uint32_t node = graph.entry;
  for (std::size_t l = graph.levels.size() - 1; l > 0; --l) {
    node = descend(graph.levels[l], space, query, node, scratch, excluded);
    node = step_down(graph, l, node);
  }
  scratch.pool.reset(ef);
  scratch.pool.insert(make_key(entry_distance(space, query, node, excluded), node));
  beam(graph.levels[0], space, query, ef, scratch, excluded);
  std::size_t found = 0;
  for (std::size_t i = 0; i < scratch.pool.size() && found < k; ++i) {
    const std::uint64_t key = scratch.pool[i];
    if (key_node(key) != excluded) out[found++] = {key_distance(key), key_node(key)};
  }
  return found;
}

}  // namespace hopspan::hnsw
