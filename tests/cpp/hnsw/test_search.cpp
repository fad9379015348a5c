#include "hnsw/graphs.h"
#include "hnsw/search.h"
#include "hopspan/error.h"
#include "test.h"

using namespace hopspan;
using namespace hopspan::hnsw;

TEST(hnsw_search_of_an_empty_graph_finds_nothing) {
  const vectors::Matrix matrix({4, Metric::kL2, DType::kFloat32});
  const Graph graph(test::small_options());
  const float query[4] = {};
  CHECK(test::found(graph, matrix, query, 3, 10).empty());
}

TEST(hnsw_search_with_a_wide_beam_is_exact) {
  const auto matrix = test::l2_matrix(test::random_values(500, 6, 1), 6);
  const Graph graph = test::build(matrix, test::small_options());
  for (std::size_t q = 0; q < 20; ++q) {
    const auto query = test::random_values(1, 6, 100 + q);
    CHECK(test::found(graph, matrix, query.data(), 500, 500) == test::exact(matrix, query.data(), 500));
  }
}

TEST(hnsw_search_leaves_out_the_excluded_slot) {
  const auto values = test::random_values(400, 6, 2);
  const auto matrix = test::l2_matrix(values, 6);
  const Graph graph = test::build(matrix, test::small_options());
  std::size_t hits = 0;
  for (std::uint32_t slot = 0; slot < 400; ++slot) {
    auto expected = test::exact(matrix, values.data() + slot * 6, 11);
    expected.erase(expected.begin());
    const auto got = test::found(graph, matrix, values.data() + slot * 6, 10, 400, slot);
    CHECK(std::count(got.begin(), got.end(), slot) == 0);
    CHECK_EQUAL(got.size(), std::size_t{10});
    for (const std::uint32_t found : got) hits += std::count(expected.begin(), expected.end(), found) != 0 ? 1 : 0;
  }
  CHECK(hits > 3980);  // a few may hang on the rest of the graph by the excluded slot alone
}

// Recall without the slot comes near that of a graph that never held it; a hole in the graph would lose .09 here.
TEST(hnsw_search_works_around_the_excluded_slot) {
  constexpr std::uint32_t kHeld = 300;
  constexpr std::size_t kDim = 12;
  constexpr std::size_t k = 10;
  const auto values = test::random_values(3000, kDim, 5);
  const auto matrix = test::l2_matrix(values, kDim);
  const auto rest = test::l2_matrix({values.begin() + kHeld * kDim, values.end()}, kDim);
  const Graph graph = test::build(matrix, test::small_options());
  const Graph graph_of_rest = test::build(rest, test::small_options());
  std::size_t without = 0;
  std::size_t never = 0;
  for (std::uint32_t slot = 0; slot < kHeld; ++slot) {
    const float* query = values.data() + slot * kDim;
    auto truth = test::exact(matrix, query, k + 1);
    for (const auto found : test::found(graph, matrix, query, k, 12, slot))
      without += std::count(truth.begin(), truth.end(), found);
    truth = test::exact(rest, query, k);
    for (const auto found : test::found(graph_of_rest, rest, query, k, 12))
      never += std::count(truth.begin(), truth.end(), found);
  }
  const double difference = (static_cast<double>(without) - static_cast<double>(never)) / (kHeld * k);
  CHECK(difference > -0.08 && difference < 0.03);
}

TEST(hnsw_search_counts_its_work) {
  const auto values = test::random_values(400, 6, 3);
  const auto matrix = test::l2_matrix(values, 6);
  const Graph graph = test::build(matrix, test::small_options());
  Scratch scratch;
  Neighbor out[5];
  search(graph, Space(matrix), values.data(), 5, 50, scratch, out);
  CHECK(scratch.counters.expansions >= 50);
  CHECK(scratch.counters.distances >= 100);
}

TEST(hnsw_search_refuses_links_that_lead_outside) {
  const auto values = test::random_values(400, 6, 4);
  const auto matrix = test::l2_matrix(values, 6);
  for (const std::size_t level : {std::size_t{0}, std::size_t{1}}) {
    Graph graph = test::build(matrix, test::small_options());
    std::uint32_t* links = graph.levels[level].links.mutable_data();
    for (std::size_t i = 0; i < graph.levels[level].links.size(); ++i) links[i] = 0x12345678;
    CHECK_THROWS(CorruptIndexError, "links to 305419896", test::found(graph, matrix, values.data(), 5, 50));
  }
  for (auto array : {&Level::slots, &Level::below}) {
    Graph graph = test::build(matrix, test::small_options());
    Level& level = graph.levels[1];
    for (std::size_t i = 0; i < level.size; ++i) (level.*array).mutable_data()[i] = 0x12345678;
    CHECK_THROWS(CorruptIndexError, "links to 305419896", test::found(graph, matrix, values.data(), 5, 50));
  }
}

TEST(hnsw_search_that_stops_early_expands_less_and_finds_what_is_near) {
  const auto matrix = test::l2_matrix(test::random_values(2000, 6, 3), 6);
  const Graph graph = test::build(matrix, test::small_options());
  const Space space(matrix);
  const auto search_all = [&](const Effort& effort, std::vector<std::uint32_t>& slots) {
    Scratch scratch;
    for (std::size_t q = 0; q < 50; ++q) {
      const auto query = test::random_values(1, 6, 100 + q);
      Neighbor out[5];
      const std::size_t count = search(graph, space, query.data(), 5, effort, scratch, out);
      for (std::size_t i = 0; i < count; ++i) slots.push_back(out[i].slot);
    }
    return scratch.counters.expansions;
  };
  const auto stopping = [](float factor, float least = 0.0F) { return Effort(200, 200, {5, 5, factor, least}); };
  std::vector<std::uint32_t> all, most, never, near;
  const std::uint64_t expansions = search_all(200, all);
  CHECK(search_all(stopping(2.0F), most) < expansions / 2);
  CHECK_EQUAL(search_all(stopping(1000.0F), never), expansions);
  CHECK_EQUAL(search_all(stopping(1.0F, 1e6F), never), expansions);
  CHECK(search_all(stopping(1.0F), near) < expansions / 8);
  CHECK_EQUAL(near.size(), all.size());
  CHECK(never == [&] {
    auto twice = all;
    twice.insert(twice.end(), all.begin(), all.end());
    return twice;
  }());
  std::size_t same = 0;
  for (std::size_t i = 0; i < all.size(); ++i) same += most[i] == all[i] ? 1 : 0;
  CHECK(same >= all.size() * 97 / 100);
}
