// A graph is whole whenever a change lets others in: rows in one piece, and everything that was there within reach.
// Planted bugs that turn these tests red, each tried on its own: new_rows.h leaves out the first row; search.cpp starts
// on the last level there is, which may be one that an insertion is about to raise the graph to.
#include <atomic>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <thread>

#include "hnsw/graphs.h"
#include "test.h"

using namespace hopspan;
using namespace hopspan::hnsw;

namespace {

constexpr std::size_t kDim = 8;

struct Seen {
  std::size_t looks = 0;
  std::size_t broken = 0;  // rows with a link that is twice, to nothing, or behind the last one
  std::size_t lost = 0;    // slots out of reach
};

bool is_whole(const Level& level, std::uint32_t node) {
  const std::uint32_t* row = level.row(node);
  const std::size_t count = degree(row, level.width);
  std::set<std::uint32_t> targets{node};
  for (std::size_t i = 0; i < count; ++i) {
    if (target(row[i]) >= level.size || !targets.insert(target(row[i])).second) return false;
  }
  return std::all_of(row + count, row + level.width, [](std::uint32_t link) { return link == kNone; });
}

// Walks a level from `start`; returns the nodes that it met.
std::vector<bool> walk(const Level& level, std::uint32_t start, Seen& seen) {
  std::vector<bool> met(level.size);
  std::vector<std::uint32_t> open{start};
  met[start] = true;
  while (!open.empty()) {
    const std::uint32_t node = open.back();
    open.pop_back();
    if (!is_whole(level, node)) {
      ++seen.broken;
      continue;
    }
    const std::uint32_t* row = level.row(node);
    for (std::size_t i = 0; i < level.width && row[i] != kNone; ++i) {
      if (met[target(row[i])]) continue;
      met[target(row[i])] = true;
      open.push_back(target(row[i]));
    }
  }
  return met;
}

// expected: slots that have to be within reach on level 0.
void look(const Graph& graph, const std::vector<bool>& expected, Seen& seen) {
  ++seen.looks;
  std::uint32_t node = graph.entry;
  for (std::size_t l = graph.entry_level; l > 0; --l) {
    walk(graph.levels[l], node, seen);
    node = graph.levels[l].below[node];
  }
  const std::vector<bool> met = walk(graph.levels[0], node, seen);
  for (std::size_t slot = 0; slot < expected.size(); ++slot) seen.lost += expected[slot] && !met[slot];
}

// Calls `change` with the mutex held, beside threads that look at the graph whenever they can.
template <typename Change>
Seen look_beside(const Graph& graph, const std::vector<bool>& expected, core::FairMutex& mutex, Change&& change) {
  std::atomic<bool> done{false};
  Seen seen[2];
  std::vector<std::thread> readers;
  for (Seen& mine : seen) {
    readers.emplace_back([&] {
      while (!done) {
        const std::shared_lock<core::FairMutex> lock(mutex);
        look(graph, expected, mine);
      }
    });
  }
  {
    const std::lock_guard<core::FairMutex> lock(mutex);
    change();
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  return {seen[0].looks + seen[1].looks, seen[0].broken + seen[1].broken, seen[0].lost + seen[1].lost};
}

}  // namespace

TEST(hnsw_graph_is_whole_between_the_steps_of_an_insertion) {
  const vectors::Matrix all = test::l2_matrix(test::random_values(3000, kDim, 1), kDim);
  const HnswOptions options = test::small_options(4);
  Graph graph(options);
  core::FairMutex mutex;
  std::size_t looks = 0;
  for (const auto& [first, end] :
       {std::pair{0U, 3U}, std::pair{3U, 40U}, std::pair{40U, 400U}, std::pair{400U, 3000U}}) {
    Joining joining{{}, {}, end == 400, &mutex};
    for (std::uint32_t slot = first; slot < end; ++slot) joining.slots.push_back(slot);
    const std::size_t levels = graph.levels.size();
    const auto insert = [&] { hnsw::insert(graph, Space(all), joining, options, 0, 2, {}); };
    if (first == 0) {
      const std::lock_guard<core::FairMutex> lock(mutex);
      insert();
      continue;
    }
    const Seen seen = look_beside(graph, std::vector<bool>(first, true), mutex, insert);
    looks += seen.looks;
    CHECK_EQUAL(seen.broken, std::size_t{0});
    CHECK_EQUAL(seen.lost, std::size_t{0});
    CHECK(graph.levels.size() > levels);
    validate(graph, options, end);
    test::check_trees(graph);
  }
  CHECK(looks > 0);
}

// Looks while the newcomers choose their links, which is when others are let in.
TEST(hnsw_graph_is_searched_as_it_was_while_it_is_raised) {
  const vectors::Matrix all = test::l2_matrix(test::random_values(400, kDim, 1), kDim);
  const HnswOptions options = test::small_options(4);
  core::FairMutex mutex;
  for (std::uint32_t before = 1; before < 100; before += 7) {
    Graph graph(options);
    Joining joining;
    for (std::uint32_t slot = 0; slot < before; ++slot) joining.slots.push_back(slot);
    insert(graph, Space(all), joining, options, 0, 1, {});
    Seen seen;
    std::size_t calls = 0;
    joining.mutex = &mutex;
    joining.is_dead = [&](std::uint32_t) {
      if (calls++ % 50 != 0) return false;
      const std::shared_lock<core::FairMutex> lock(mutex);
      look(graph, std::vector<bool>(before, true), seen);
      const std::uint32_t slot = static_cast<std::uint32_t>(calls / 50 % before);
      const float* query = reinterpret_cast<const float*>(all.row(slot));
      seen.lost += test::found(graph, all, query, 1, 400) != std::vector<std::uint32_t>{slot};
      return false;
    };
    joining.slots.clear();
    for (std::uint32_t slot = before; slot < 400; ++slot) joining.slots.push_back(slot);
    const std::lock_guard<core::FairMutex> lock(mutex);
    insert(graph, Space(all), joining, options, 0, 1, {});
    CHECK(seen.looks > 100);
    CHECK_EQUAL(seen.broken, std::size_t{0});
    CHECK_EQUAL(seen.lost, std::size_t{0});
  }
}
