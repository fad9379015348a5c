// Planted bugs that turn these tests red, each tried on its own: the tree's marks left out, links back left out, no
// exchange of the links when an insertion is undone, rows saved after the exchange, the links not taken back for late
// nodes, late nodes joining before they are due, the count of replaced nodes lost.
#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "hnsw/graphs.h"
#include "hnsw/newcomers.h"
#include "hnsw/refine.h"
#include "test.h"

using namespace hopspan;
using namespace hopspan::hnsw;

namespace {

constexpr std::size_t kDim = 8;
constexpr std::size_t kRows = 3000;

vectors::Matrix rows(std::size_t count = kRows) { return test::l2_matrix(test::random_values(count, kDim, 1), kDim); }

Graph refined(const Graph& graph, const vectors::Matrix& matrix, const HnswOptions& options, std::size_t threads = 1) {
  Graph result = hnsw::copy(graph);
  result.levels[0].links = refined_links(graph, Space(matrix), options, {}, threads, {});
  return result;
}

Joining all_of(const vectors::Matrix& matrix, std::size_t first, bool refine) {
  Joining joining;
  for (std::size_t i = first; i < matrix.size(); ++i) joining.slots.push_back(static_cast<std::uint32_t>(i));
  joining.refine = refine;
  return joining;
}

std::uint32_t highest_slot(std::uint64_t seed, const HnswOptions& options, std::uint32_t count) {
  const auto level = [&](std::uint32_t slot) { return random_level(seed, slot, options.M); };
  std::uint32_t highest = 0;
  for (std::uint32_t slot = 1; slot < count; ++slot) highest = level(slot) > level(highest) ? slot : highest;
  return highest;
}

}  // namespace

TEST(hnsw_refine_finds_more) {
  const auto matrix = rows();
  const Graph graph = test::build(matrix, test::small_options());
  const Graph better = refined(graph, matrix, test::small_options());
  validate(better, test::small_options(), kRows);
  test::check_trees(better);
  CHECK_EQUAL(count_reachable(better), kRows);
  CHECK(test::recall(better, matrix, 12) > test::recall(graph, matrix, 12));
}

TEST(hnsw_refine_is_the_same_on_any_number_of_threads) {
  const auto matrix = rows();
  const Graph graph = test::build(matrix, test::small_options());
  const Graph one = refined(graph, matrix, test::small_options(), 1);
  CHECK(test::same(one, refined(graph, matrix, test::small_options(), 2)));
  CHECK(test::same(one, refined(graph, matrix, test::small_options(), 4)));
}

TEST(hnsw_refine_links_back) {
  const auto matrix = rows(600);
  const HnswOptions options = test::small_options(16);
  const Graph graph = refined(test::build(matrix, options), matrix, options);
  const Level& level = graph.levels[0];
  for (std::uint32_t node = 0; node < level.size; ++node) {
    for (std::size_t i = 0; i < level.width && level.row(node)[i] != kNone; ++i) {
      const std::uint32_t* const back = level.row(target(level.row(node)[i]));
      const bool links_back = std::any_of(back, back + level.width,
                                          [node](std::uint32_t link) { return link != kNone && target(link) == node; });
      CHECK(links_back || degree(back, level.width) > level.width / 2);
    }
  }
}

TEST(hnsw_refine_leaves_free_slots_free) {
  const auto matrix = rows(600);
  Graph graph(test::small_options());
  Joining joining;
  for (std::uint32_t slot = 0; slot < 600; slot += 2) joining.slots.push_back(slot);
  insert(graph, Space(matrix), joining, test::small_options(), 0, 1, {});
  append_free(graph, 600);
  const Graph better = refined(graph, matrix, test::small_options());
  validate(better, test::small_options(), 600);
  test::check_trees(better);
  CHECK_EQUAL(count_reachable(better), std::size_t{300});
  for (std::uint32_t slot = 1; slot < 600; slot += 2) CHECK_EQUAL(better.levels[0].row(slot)[0], kNone);
}

TEST(hnsw_refine_works_on_hostile_sets) {
  const std::vector<float> same(600 * kDim, 1.0f);
  for (const std::uint32_t M : {2u, 3u, 8u}) {
    const auto matrix = test::l2_matrix(same, kDim);
    const Graph graph = refined(test::build(matrix, test::small_options(M)), matrix, test::small_options(M));
    validate(graph, test::small_options(M), 600);
    test::check_trees(graph);
    CHECK_EQUAL(count_reachable(graph), std::size_t{600});
  }
}

TEST(hnsw_insert_that_refines_gives_the_refined_graph) {
  const auto matrix = rows();
  Graph graph(test::small_options());
  insert(graph, Space(matrix), all_of(matrix, 0, true), test::small_options(), 0, 2, {});
  CHECK(test::same(graph, refined(test::build(matrix, test::small_options()), matrix, test::small_options())));
}

TEST(hnsw_insert_that_fails_after_refining_changes_nothing) {
  const auto matrix = rows(900);
  Graph graph(test::small_options());
  Joining some = all_of(matrix, 0, false);
  some.slots.resize(895);
  insert(graph, Space(matrix), some, test::small_options(), 0, 1, {});
  const Graph before = hnsw::copy(graph);
  const auto refuse = [] { throw std::runtime_error("refused"); };
  bool refused = false;
  try {
    insert(graph, Space(matrix), all_of(matrix, 895, true), test::small_options(), 0, 1, {}, refuse);
  } catch (const std::runtime_error&) {
    refused = true;
  }
  CHECK(refused);
  CHECK(test::same(graph, before));
}

TEST(hnsw_insert_shows_the_graph_without_the_late_ones) {
  const auto matrix = rows(1000);
  Joining joining = all_of(matrix, 0, true);
  joining.late = {3, 500, 998, 999};
  std::vector<Graph> graphs;
  for (const std::size_t threads : {1, 2}) {
    Graph& graph = graphs.emplace_back(test::small_options());
    std::size_t seen = 0;
    const auto look = [&] {
      validate(graph, test::small_options(), 998);
      test::check_trees(graph);
      seen = count_reachable(graph);
    };
    insert(graph, Space(matrix), joining, test::small_options(), 0, threads, {}, look);
    CHECK_EQUAL(seen, std::size_t{996});
    validate(graph, test::small_options(), 1000);
    test::check_trees(graph);
    CHECK_EQUAL(count_reachable(graph), std::size_t{1000});
  }
  CHECK(test::same(graphs[0], graphs[1]));
}

TEST(hnsw_insert_with_many_late_ones_gives_the_refined_graph) {
  const auto matrix = rows(1000);
  Joining joining = all_of(matrix, 0, true);
  for (std::uint32_t slot = 900; slot < 1000; ++slot) joining.late.push_back(slot);
  Graph graph(test::small_options()), plain(test::small_options());
  insert(graph, Space(matrix), joining, test::small_options(), 0, 1, {});
  Joining early = all_of(matrix, 0, false);
  early.slots.resize(900);
  insert(plain, Space(matrix), early, test::small_options(), 0, 1, {});
  insert(plain, Space(matrix), all_of(matrix, 900, false), test::small_options(), 0, 1, {});
  CHECK(test::same(graph, refined(plain, matrix, test::small_options())));
}

TEST(hnsw_insert_that_fails_when_the_late_ones_join_changes_nothing) {
  const auto matrix = rows(900);
  const HnswOptions options = test::small_options();
  std::uint64_t seed = 0;
  while (highest_slot(seed, options, 900) < 700 || highest_slot(seed, options, 900) >= 880) ++seed;
  const std::uint32_t highest = highest_slot(seed, options, 900);  // it joins alone, and others after it
  Graph graph(options);
  Joining some = all_of(matrix, 0, false);
  some.slots.resize(700);
  insert(graph, Space(matrix), some, options, seed, 1, {});
  const Graph before = copy(graph);
  for (const std::uint32_t count : {100, 20}) {  // many and few
    Joining joining = all_of(matrix, 700, true);
    for (std::uint32_t slot = highest; slot < std::min(highest + count, 900U); ++slot) joining.late.push_back(slot);
    std::size_t accepted = 0;
    // The calls of the progress callback, which cancels after so many.
    const auto calls = [&](Graph& to, std::size_t allowed) {
      std::size_t made = 0;
      const Progress progress = [&](std::size_t, std::size_t) {
        if (++made > allowed) throw std::runtime_error("cancelled");
      };
      insert(to, Space(matrix), joining, options, seed, 1, progress, [&] { accepted = made; });
      return made;
    };
    Graph finished = copy(graph);
    const std::size_t all = calls(finished, SIZE_MAX);
    CHECK(accepted != 0 && all > accepted + 1);
    for (std::size_t allowed = accepted; allowed < all; ++allowed) {
      CHECK_THROWS(std::runtime_error, "cancelled", calls(graph, allowed));
      CHECK(test::same(graph, before));
    }
  }
}

TEST(hnsw_insert_counts_what_takes_the_place_of_others) {
  const auto matrix = rows(1000);
  Graph graph(test::small_options());
  Joining some = all_of(matrix, 0, false);
  some.slots.erase(some.slots.begin() + 100, some.slots.begin() + 150);
  insert(graph, Space(matrix), some, test::small_options(), 0, 1, {});
  CHECK_EQUAL(graph.replaced, std::size_t{0});
  Joining fill;
  for (std::uint32_t slot = 100; slot < 130; ++slot) fill.slots.push_back(slot);
  insert(graph, Space(matrix), fill, test::small_options(), 0, 1, {});
  CHECK_EQUAL(graph.replaced, std::size_t{30});
  CHECK_EQUAL(copy(graph).replaced, std::size_t{30});
  fill.slots = {130};
  fill.refine = true;
  insert(graph, Space(matrix), fill, test::small_options(), 0, 1, {});
  CHECK_EQUAL(graph.replaced, std::size_t{0});
}

TEST(hnsw_insert_that_refines_counts_its_progress_once) {
  const auto matrix = rows(2000);
  Graph graph(test::small_options());
  std::size_t last = 0;
  std::size_t all = 0;
  insert(graph, Space(matrix), all_of(matrix, 0, true), test::small_options(), 0, 1,
         [&](std::size_t done, std::size_t of) {
           CHECK(done >= last);
           last = done;
           all = of;
         });
  CHECK_EQUAL(last, std::size_t{2000});
  CHECK_EQUAL(all, std::size_t{2000});
}
