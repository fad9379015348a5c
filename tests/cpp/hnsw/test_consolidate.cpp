// A graph after a pass over its removed nodes: no link to them, every other node within reach, and all or nothing.
// Planted bugs that turn these tests red, each tried on its own: consolidate.cpp without bridge, and with rows filled
// up to what they had only.
#include <set>
#include <stdexcept>

#include "hnsw/consolidate.h"
#include "hnsw/graphs.h"
#include "test.h"

using namespace hopspan;
using namespace hopspan::hnsw;

namespace {

constexpr std::size_t kDim = 8;

// One of `share` slots, at random.
std::vector<bool> random_dead(std::size_t size, std::size_t share, std::uint64_t seed) {
  std::vector<bool> dead(size);
  for (std::size_t i = 0; i < size; ++i) dead[i] = core::random_u64(seed, i) % share == 0;
  return dead;
}

std::size_t count(const std::vector<bool>& flags) {
  return static_cast<std::size_t>(std::count(flags.begin(), flags.end(), true));
}

// What is left is sound, holds the living and nothing else, and reaches all of them.
void check_consolidated(const Graph& graph, const HnswOptions& options, const std::vector<bool>& dead) {
  validate(graph, options, dead.size());
  test::check_trees(graph);
  const std::vector<bool> met = reachable(graph);
  for (std::size_t slot = 0; slot < dead.size(); ++slot) {
    CHECK_EQUAL(met[slot], !dead[slot]);
    CHECK(!dead[slot] || graph.levels[0].row(slot)[0] == kNone);
  }
  for (std::size_t l = 1; l < graph.levels.size(); ++l) {
    CHECK(graph.levels[l].size > 0);
    for (std::uint32_t node = 0; node < graph.levels[l].size; ++node) CHECK(!dead[graph.levels[l].slot(node)]);
  }
}

// The share of the ten nearest living slots that a search for them finds.
double living_recall(const Graph& graph, const vectors::Matrix& matrix, const std::vector<bool>& dead) {
  const std::vector<float> queries = test::random_values(100, kDim, 99);
  std::size_t hits = 0;
  for (std::size_t q = 0; q < 100; ++q) {
    std::vector<std::uint32_t> truth = test::exact(matrix, queries.data() + q * kDim, matrix.size());
    truth.erase(std::remove_if(truth.begin(), truth.end(), [&](std::uint32_t s) { return dead[s]; }), truth.end());
    truth.resize(10);
    for (const std::uint32_t slot : test::found(graph, matrix, queries.data() + q * kDim, 10, 60)) {
      hits += static_cast<std::size_t>(std::count(truth.begin(), truth.end(), slot));
    }
  }
  return static_cast<double>(hits) / 1000;
}

}  // namespace

TEST(hnsw_consolidate_takes_out_the_dead_and_keeps_the_rest_reachable) {
  const auto matrix = test::l2_matrix(test::random_values(1500, kDim, 1), kDim);
  for (const std::uint32_t M : {2u, 3u, 8u}) {
    for (const std::size_t share : {2, 3, 20, 300}) {
      const HnswOptions options = test::small_options(M);
      Graph graph = test::build(matrix, options);
      const std::vector<bool> dead = random_dead(1500, share, M);
      graph = consolidated(graph, Space(matrix), dead, 2, {});
      check_consolidated(graph, options, dead);
      if (M == 8) CHECK(living_recall(graph, matrix, dead) > 0.97);
    }
  }
}

TEST(hnsw_consolidate_leaves_no_row_short_of_links) {
  const auto matrix = test::l2_matrix(test::random_values(1500, kDim, 1), kDim);
  Graph graph = test::build(matrix, test::small_options(8));
  const Graph before = hnsw::copy(graph);
  const std::vector<bool> dead = random_dead(1500, 5, 3);
  graph = consolidated(graph, Space(matrix), dead, 2, {});
  const Level& was = before.levels[0];
  std::size_t links = 0;
  for (std::uint32_t node = 0; node < 1500; ++node) links += dead[node] ? 0 : degree(was.row(node), was.width);
  const std::size_t least = links * 2 / 3 / (1500 - count(dead));
  std::size_t filled = 0;
  for (std::uint32_t node = 0; node < 1500; ++node) {
    std::set<std::uint32_t> choice;  // living neighbours, and those of dead ones
    const std::uint32_t* row = was.row(node);
    const std::size_t had = degree(row, was.width);
    for (std::size_t i = 0; i < had; ++i) {
      const std::uint32_t* next = dead[target(row[i])] ? was.row(target(row[i])) : row + i;
      const std::size_t links = dead[target(row[i])] ? degree(next, was.width) : 1;
      for (std::size_t j = 0; j < links; ++j) {
        if (!dead[target(next[j])] && target(next[j]) != node) choice.insert(target(next[j]));
      }
    }
    if (dead[node] || choice.size() <= had) continue;
    const std::size_t now = degree(graph.levels[0].row(node), was.width);
    CHECK(now >= std::min(std::max(had, least), choice.size()));
    filled += now > had;
  }
  CHECK(filled > 50);
}

TEST(hnsw_consolidate_of_hostile_sets) {
  std::vector<float> same(600 * kDim, 1.0f);
  std::vector<float> clusters = test::random_values(1200, kDim, 3);
  for (std::size_t i = 0; i < clusters.size(); ++i) clusters[i] = clusters[i] * 1e-3f + static_cast<float>(i / 4800);
  for (const auto& values : {same, clusters}) {
    for (const std::uint32_t M : {2u, 8u}) {
      const auto matrix = test::l2_matrix(values, kDim);
      std::vector<bool> dead(matrix.size());
      for (std::size_t slot = 100; slot < 400; ++slot) dead[slot] = true;  // whole clusters
      Graph graph = test::build(matrix, test::small_options(M), 2);
      graph = consolidated(graph, Space(matrix), dead, 2, {});
      check_consolidated(graph, test::small_options(M), dead);
    }
  }
}

TEST(hnsw_consolidate_down_to_one) {
  const auto matrix = test::l2_matrix(test::random_values(400, kDim, 4), kDim);
  const HnswOptions options = test::small_options(2);
  Graph graph = test::build(matrix, options);
  std::vector<bool> dead(400);
  for (std::uint64_t round = 0; count(dead) < 399; ++round) {
    for (std::size_t slot = 0; slot < 400 && count(dead) < 399; ++slot) {
      if (core::random_u64(round, slot) % 4 == 0) dead[slot] = true;
    }
    graph = consolidated(graph, Space(matrix), dead, 1, {});
    validate(graph, options, 400);
    test::check_trees(graph);
    CHECK_EQUAL(count_reachable(graph), 400 - count(dead));
  }
  Joining joining;
  for (std::uint32_t slot = 0; slot < 400; ++slot) {
    if (dead[slot]) joining.slots.push_back(slot);
  }
  insert(graph, Space(matrix), joining, options, 0, 1, {});
  check_consolidated(graph, options, std::vector<bool>(400));
}

TEST(hnsw_consolidate_is_the_same_on_any_number_of_threads) {
  const auto matrix = test::l2_matrix(test::random_values(3000, kDim, 5), kDim);
  const HnswOptions options = test::small_options();
  const std::vector<bool> dead = random_dead(3000, 5, 1);
  Graph one = test::build(matrix, options);
  one = consolidated(one, Space(matrix), dead, 1, {});
  for (const std::size_t threads : {2, 4}) {
    Graph other = test::build(matrix, options);
    other = consolidated(other, Space(matrix), dead, threads, {});
    CHECK(test::same(one, other));
  }
}

TEST(hnsw_consolidate_that_is_cancelled_changes_nothing) {
  const auto matrix = test::l2_matrix(test::random_values(3000, kDim, 6), kDim);
  const HnswOptions options = test::small_options();
  Graph graph = test::build(matrix, options);
  const Graph before = hnsw::copy(graph);
  const std::vector<bool> dead = random_dead(3000, 5, 2);
  for (std::size_t calls = 0;; ++calls) {
    std::size_t left = calls;
    bool cancelled = false;
    try {
      graph = consolidated(graph, Space(matrix), dead, 1, [&](std::size_t, std::size_t) {
        if (left-- == 0) throw std::runtime_error("enough");
      });
    } catch (const std::runtime_error&) {
      cancelled = true;
    }
    if (!cancelled) {
      CHECK(calls > 3);
      break;
    }
    CHECK(test::same(graph, before));
  }
  check_consolidated(graph, options, dead);
}
