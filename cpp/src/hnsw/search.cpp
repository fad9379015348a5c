#include "hnsw/search.h"

#include <algorithm>
#include <limits>
#include <string>

#include "core/buffer.h"
#include "core/prefetch.h"
#include "hopspan/error.h"

namespace hopspan::hnsw {
namespace {

// The beam expands its nearest nodes a few at a time: their rows and their neighbours' vectors are fetched side by
// side, where one node after the other would wait for memory at each step.
constexpr std::size_t kNodesAtOnce = 3;

constexpr std::size_t kScannedAtOnce = 256;

[[noreturn]] void bad_link(std::uint32_t node, std::uint32_t link, std::size_t size) {
  throw CorruptIndexError("graph node " + std::to_string(node) + " links to " + std::to_string(link) + " of " +
                          std::to_string(size) + " nodes");
}

// The slot of `next`, which `node` links to. `rows` is how many vectors there are.
template <bool kBase>
std::uint32_t linked_slot(const Level& level, std::size_t rows, std::uint32_t node, std::uint32_t next) {
  if (next >= level.size) bad_link(node, next, level.size);
  if (kBase) return next;
  const std::uint32_t slot = level.slots[next];
  if (slot >= rows) bad_link(node, slot, rows);
  return slot;
}

bool links_to(const Level& level, std::uint32_t node, std::uint32_t other) {
  const std::uint32_t* row = level.row(node);
  for (std::size_t i = 0; i < level.width && row[i] != kNone; ++i) {
    if (target(row[i]) == other) return true;
  }
  return false;
}

// What stands in for the absent node that `node` links to. A row with room has dropped other links for lying in the
// shadow of this one: had the absent node never been there, `node` would link to the nearest of its neighbours. A full
// row may have dropped a link farther away only for want of room, which nothing makes good. That was so for about
// three in four: with them, recall targets are met within .013 on random, word and image vectors alike.
template <bool kBase>
std::uint32_t stand_in(const Level& level, const Space& space, std::uint32_t node, std::uint32_t absent) {
  const bool for_want_of_room = ((node ^ absent) & 3) != 0;
  if (for_want_of_room && degree(level.row(node), level.width) == level.width) return absent;
  core::Buffer room;
  const void* query = space.as_query(level.slot(node), room);
  const std::uint32_t* row = level.row(absent);
  std::uint32_t best = absent;
  float nearest = std::numeric_limits<float>::infinity();
  for (std::size_t i = 0; i < level.width && row[i] != kNone; ++i) {
    const std::uint32_t next = target(row[i]);
    const std::uint32_t slot = linked_slot<kBase>(level, space.size(), absent, next);
    if (next == node || links_to(level, node, next)) continue;
    const float distance = space.distance(query, slot);
    if (distance < nearest) {
      nearest = distance;
      best = next;
    }
  }
  return best;
}

// The row of `node`, in which another node stands in for one that is excluded.
template <bool kBase>
const std::uint32_t* row_without(const Level& level, const Space& space, std::uint32_t node, std::uint32_t excluded,
                                 Scratch& scratch) {
  const std::uint32_t* row = level.row(node);
  if (excluded == kNone) return row;
  scratch.row.assign(level.width, kNone);
  std::size_t count = 0;
  for (std::size_t i = 0; i < level.width && row[i] != kNone; ++i) {
    std::uint32_t next = target(row[i]);
    if (linked_slot<kBase>(level, space.size(), node, next) == excluded) {
      next = stand_in<kBase>(level, space, node, next);
    }
    if (linked_slot<kBase>(level, space.size(), node, next) != excluded) scratch.row[count++] = next;
  }
  return scratch.row.data();
}

[[noreturn]] void bad_row(const Level& level, std::uint32_t node) {
  const std::uint32_t* row = level.row(node);
  const std::uint32_t* bad = std::find_if(
      row, row + level.width, [&](std::uint32_t link) { return link != kNone && target(link) >= level.size; });
  bad_link(node, bad == row + level.width ? kNone : target(*bad), level.size);
}

// Appends the nodes that `node` links to and that have not been seen, and their slots, to the `count` that scratch
// holds; returns the new count.
template <bool kBase>
std::size_t gather(const Level& level, const Space& space, std::uint32_t node, std::uint32_t excluded, Scratch& scratch,
                   std::size_t count) {
  const std::uint32_t* const row = row_without<kBase>(level, space, node, excluded, scratch);
  std::uint32_t* const nodes = (kBase ? scratch.slots : scratch.nodes).data() + count;
  const std::size_t found = scratch.pool.beam().unseen(row, level.width, level.size, scratch.visited.table(), nodes);
  if (found == distance::kBadLink) bad_row(level, node);
  std::uint32_t* const slots = scratch.slots.data() + count;
  for (std::size_t i = 0; i < found; ++i) {
    if (!kBase) slots[i] = linked_slot<false>(level, space.size(), node, nodes[i]);
    space.prefetch(slots[i]);
  }
  return count + found;
}

// The nodes of an upper level that `node` links to, and their slots; returns how many there are.
std::size_t neighbors(const Level& level, const Space& space, std::uint32_t node, std::uint32_t excluded,
                      Scratch& scratch) {
  const std::uint32_t* const row = row_without<false>(level, space, node, excluded, scratch);
  std::size_t count = 0;
  for (; count < level.width && row[count] != kNone; ++count) {
    scratch.nodes[count] = target(row[count]);
    scratch.slots[count] = linked_slot<false>(level, space.size(), node, scratch.nodes[count]);
    space.prefetch(scratch.slots[count]);
  }
  return count;
}

void measure(const Space& space, const void* query, std::size_t count, Scratch& scratch) {
  space.distances(query, scratch.slots.data(), count, scratch.distances.data());
  scratch.counters.distances += count;
}

void prefetch_row(const Level& level, std::uint32_t node) {
  core::prefetch(level.row(node), level.width * sizeof(std::uint32_t));
}

// Takes the nearest open nodes, at most kNodesAtOnce; returns how many.
std::size_t take_open(const Level& level, Pool& pool, std::uint32_t* taken) {
  std::size_t count = 0;
  for (; count < kNodesAtOnce && pool.has_open(); ++count) {
    taken[count] = pool.take();
    prefetch_row(level, taken[count]);
  }
  return count;
}

// Offers the `count` measured nodes to the pool.
void offer(Scratch& scratch, const std::uint32_t* nodes, std::size_t count) {
  Pool& pool = scratch.pool;
  std::uint64_t* const keys = scratch.keys.data();
  pool.insert(keys, pool.beam().keys_below(scratch.distances.data(), nodes, count, pool.limit(), keys));
}

template <bool kBase>
void expand_all(const Level& level, const Space& space, const void* query, Scratch& scratch, std::uint32_t excluded) {
  Pool& pool = scratch.pool;
  const std::uint32_t* nodes = kBase ? scratch.slots.data() : scratch.nodes.data();
  std::uint32_t taken[kNodesAtOnce];
  while (pool.has_open()) {
    const std::size_t expanded = take_open(level, pool, taken);
    std::size_t count = 0;
    for (std::size_t i = 0; i < expanded; ++i) {
      count = gather<kBase>(level, space, taken[i], excluded, scratch, count);
    }
    pool.for_each_next(kNodesAtOnce, [&](std::uint32_t next) { prefetch_row(level, next); });
    measure(space, query, count, scratch);
    scratch.counters.expansions += expanded;
    offer(scratch, nodes, count);
  }
}

std::uint32_t step_down(const Graph& graph, std::size_t level, std::uint32_t node) {
  const std::uint32_t below = graph.levels[level].below[node];
  if (below >= graph.levels[level - 1].size) bad_link(node, below, graph.levels[level - 1].size);
  return below;
}

float entry_distance(const Level& level, const Space& space, const void* query, std::uint32_t node,
                     std::uint32_t excluded) {
  const std::uint32_t slot = level.slot(node);
  if (slot >= space.size()) bad_link(node, slot, space.size());
  return slot == excluded ? std::numeric_limits<float>::infinity() : space.distance(query, slot);
}

}  // namespace

std::uint32_t descend(const Level& level, const Space& space, const void* query, std::uint32_t node, Scratch& scratch,
                      std::uint32_t excluded) {
  scratch.fit(level.width);
  float best = entry_distance(level, space, query, node, excluded);
  for (bool moved = true; moved;) {
    moved = false;
    const std::size_t count = neighbors(level, space, node, excluded, scratch);
    measure(space, query, count, scratch);
    ++scratch.counters.expansions;
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
  scratch.fit(kNodesAtOnce * level.width);
  scratch.visited.reset(ef);
  for (std::size_t i = 0; i < scratch.pool.size(); ++i) scratch.visited.insert(key_node(scratch.pool[i]));
  if (level.slots.size() == 0) {
    expand_all<true>(level, space, query, scratch, excluded);
  } else {
    expand_all<false>(level, space, query, scratch, excluded);
  }
}

namespace {

void walk(const Graph& graph, const Space& space, const void* query, std::size_t ef, Scratch& scratch,
          std::uint32_t excluded) {
  if (graph.entry == kNone) return;
  std::uint32_t node = graph.entry;
  for (std::size_t l = graph.entry_level; l > 0; --l) {
    node = descend(graph.levels[l], space, query, node, scratch, excluded);
    node = step_down(graph, l, node);
  }
  scratch.pool.insert(make_key(entry_distance(graph.levels[0], space, query, node, excluded), node));
  beam(graph.levels[0], space, query, ef, scratch, excluded);
}

// Offers the slots to the pool, which recognises those that the walk has met.
void scan(const Space& space, const void* query, const std::vector<std::uint32_t>& slots, Scratch& scratch) {
  scratch.fit(kScannedAtOnce);
  for (std::size_t begin = 0; begin < slots.size(); begin += kScannedAtOnce) {
    const std::size_t count = std::min(kScannedAtOnce, slots.size() - begin);
    std::copy_n(slots.data() + begin, count, scratch.slots.data());
    measure(space, query, count, scratch);
    offer(scratch, scratch.slots.data(), count);
  }
}

}  // namespace

std::size_t search(const Graph& graph, const Space& space, const void* query, std::size_t k, const Effort& effort,
                   Scratch& scratch, Neighbor* out, std::uint32_t excluded,
                   const std::vector<std::uint32_t>& unlinked) {
  scratch.pool.reset(effort.width, std::max(effort.width, k), effort.stop);
  walk(graph, space, query, effort.ef, scratch, excluded);
  scan(space, query, unlinked, scratch);
  std::size_t found = 0;
  for (std::size_t i = 0; i < scratch.pool.size() && found < k; ++i) {
    const std::uint64_t key = scratch.pool[i];
    if (key_node(key) != excluded) out[found++] = {key_distance(key), key_node(key)};
  }
  return found;
}

}  // namespace hopspan::hnsw
