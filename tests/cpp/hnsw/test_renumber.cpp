#include "hnsw/consolidate.h"
#include "hnsw/graphs.h"
#include "hnsw/renumber.h"
#include "test.h"

using namespace hopspan;
using namespace hopspan::hnsw;

TEST(hnsw_numbering_gives_the_places_of_those_that_are_kept) {
  CHECK(numbering({1, 4}, 6) == (std::vector<std::uint32_t>{kNone, 0, kNone, kNone, 1, kNone}));
}

// A graph without its free slots is over fewer vectors and finds the same.
TEST(hnsw_keep_slots_leaves_the_graph_otherwise_as_it_is) {
  constexpr std::size_t kDim = 8;
  const auto matrix = test::l2_matrix(test::random_values(2000, kDim, 1), kDim);
  for (const std::uint32_t M : {2u, 8u}) {
    const HnswOptions options = test::small_options(M);
    Graph graph = test::build(matrix, options);
    std::vector<bool> dead(2000);
    std::vector<std::uint32_t> kept;
    for (std::uint32_t slot = 0; slot < 2000; ++slot) {
      dead[slot] = slot % 3 != 0;
      if (!dead[slot]) kept.push_back(slot);
    }
    graph = consolidated(graph, Space(matrix), dead, 1, {});
    const Graph smaller = keep_slots(graph, kept);
    const vectors::Matrix picked = matrix.pick(kept);
    validate(smaller, options, kept.size());
    test::check_trees(smaller);
    CHECK_EQUAL(count_reachable(smaller), kept.size());
    const std::vector<float> queries = test::random_values(50, kDim, 2);
    for (std::size_t q = 0; q < 50; ++q) {
      const auto before = test::found(graph, matrix, queries.data() + q * kDim, 10, 50);
      const auto after = test::found(smaller, picked, queries.data() + q * kDim, 10, 50);
      CHECK_EQUAL(before.size(), after.size());
      for (std::size_t i = 0; i < after.size(); ++i) CHECK_EQUAL(before[i], kept[after[i]]);
    }
  }
}
