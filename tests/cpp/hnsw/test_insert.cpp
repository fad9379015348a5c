#include <stdexcept>

#include "hnsw/graphs.h"
#include "hnsw/insert.h"
#include "hnsw/newcomers.h"
#include "test.h"

using namespace hopspan;
using namespace hopspan::hnsw;

namespace {

constexpr std::size_t kDim = 8;

void check_sound(const Graph& graph, const HnswOptions& options, std::size_t size) {
  validate(graph, options, size);
  test::check_trees(graph);
}

}  // namespace

TEST(hnsw_insert_builds_a_graph_that_finds_neighbours) {
  const auto matrix = test::l2_matrix(test::random_values(3000, kDim, 1), kDim);
  const Graph graph = test::build(matrix, test::small_options());
  check_sound(graph, test::small_options(), 3000);
  CHECK(test::recall(graph, matrix, 100) > 0.97);
}

TEST(hnsw_insert_is_the_same_on_any_number_of_threads) {
  const auto matrix = test::l2_matrix(test::random_values(3000, kDim, 1), kDim);
  const Graph one = test::build(matrix, test::small_options(), 1);
  CHECK(test::same(one, test::build(matrix, test::small_options(), 2)));
  CHECK(test::same(one, test::build(matrix, test::small_options(), 4)));
  CHECK(!test::same(one, test::build(matrix, test::small_options(), 1, 5)));
}

TEST(hnsw_insert_one_by_one) {
  const auto values = test::random_values(1500, kDim, 2);
  vectors::Matrix matrix({kDim, Metric::kL2, DType::kFloat32});
  Graph graph(test::small_options());
  const Space space(matrix);
  for (std::size_t i = 0; i < 1500; ++i) {
    matrix.append({values.data() + i * kDim, 1, kDim, DType::kFloat32});
    insert(graph, space, test::small_options(), 0, 1, {});
  }
  check_sound(graph, test::small_options(), 1500);
  CHECK(test::recall(graph, matrix, 100) > 0.97);
}

TEST(hnsw_insert_reaches_every_vector_of_hostile_sets) {
  std::vector<float> same(600 * kDim, 1.0f);
  std::vector<float> clusters = test::random_values(1200, kDim, 3);
  for (std::size_t i = 0; i < clusters.size(); ++i) clusters[i] = clusters[i] * 1e-3f + static_cast<float>(i / 4800);
  for (const auto& values : {same, clusters}) {
    for (const std::uint32_t M : {2u, 3u, 8u}) {
      const auto matrix = test::l2_matrix(values, kDim);
      const Graph graph = test::build(matrix, test::small_options(M), 2);
      check_sound(graph, test::small_options(M), matrix.size());
      CHECK_EQUAL(count_reachable(graph), matrix.size());
    }
  }
}

TEST(hnsw_insert_with_the_options_of_the_heuristic) {
  const auto matrix = test::l2_matrix(test::random_values(1500, kDim, 4), kDim);
  HnswOptions options = test::small_options();
  const Graph plain = test::build(matrix, options);
  options.extend_candidates = true;
  const Graph extended = test::build(matrix, options, 2);
  check_sound(extended, options, 1500);
  CHECK(!test::same(plain, extended));
  options.extend_candidates = false;
  options.keep_pruned_connections = true;
  const Graph full = test::build(matrix, options, 2);
  check_sound(full, options, 1500);
  std::size_t plain_links = 0;
  std::size_t full_links = 0;
  for (std::size_t i = 0; i < 1500; ++i) {
    plain_links += degree(plain.levels[0].row(i), 16);
    full_links += degree(full.levels[0].row(i), 16);
  }
  CHECK(full_links > plain_links);
}

TEST(hnsw_insert_that_is_cancelled_changes_nothing) {
  const auto values = test::random_values(3000, kDim, 5);
  auto matrix = test::l2_matrix({values.begin(), values.begin() + 1000 * kDim}, kDim);
  const HnswOptions options = test::small_options();
  Graph graph = test::build(matrix, options);
  const Graph before = test::build(matrix, options);
  matrix.append({values.data() + 1000 * kDim, 2000, kDim, DType::kFloat32});
  const auto cancel = [](std::size_t done, std::size_t) {
    if (done > 1000) throw std::runtime_error("enough");
  };
  CHECK_THROWS(std::runtime_error, "enough", insert(graph, Space(matrix), options, 0, 2, cancel));
  CHECK(test::same(graph, before));
  insert(graph, Space(matrix), options, 0, 2, {});
  check_sound(graph, options, 3000);
}

TEST(hnsw_insert_counts_its_progress) {
  const auto matrix = test::l2_matrix(test::random_values(2000, kDim, 6), kDim);
  std::size_t last = 0;
  Graph graph(test::small_options());
  insert(graph, Space(matrix), test::small_options(), 0, 1, [&](std::size_t done, std::size_t total) {
    CHECK_EQUAL(total, std::size_t{2000});
    CHECK(done >= last);
    last = done;
  });
  CHECK_EQUAL(last, std::size_t{2000});
}

TEST(hnsw_levels_follow_the_paper) {
  std::size_t above[3] = {0, 0, 0};
  for (std::uint32_t slot = 0; slot < 100000; ++slot) {
    for (std::size_t l = 1; l <= std::min<std::size_t>(random_level(7, slot, 16), 2); ++l) ++above[l];
  }
  CHECK(above[1] > 5900 && above[1] < 6600);  // 1 / 16
  CHECK(above[2] > 330 && above[2] < 450);    // 1 / 256
}

TEST(hnsw_insert_fills_free_slots_and_undoes_it) {
  const auto matrix = test::l2_matrix(test::random_values(600, kDim, 8), kDim);
  const HnswOptions options = test::small_options();
  const Space space(matrix);
  Graph graph(options);
  Joining joining;
  for (std::uint32_t slot = 1; slot < 600; slot += 2) joining.slots.push_back(slot);
  insert(graph, space, joining, options, 0, 1, {});
  check_sound(graph, options, 600);
  CHECK_EQUAL(count_reachable(graph), std::size_t{300});
  const Graph before = hnsw::copy(graph);
  Joining rest;
  for (std::uint32_t slot = 0; slot < 600; slot += 2) rest.slots.push_back(slot);
  const auto refuse = [] { throw std::runtime_error("no"); };
  CHECK_THROWS(std::runtime_error, "no", insert(graph, space, rest, options, 0, 2, {}, refuse));
  CHECK(test::same(graph, before));
  insert(graph, space, rest, options, 0, 2, {});
  check_sound(graph, options, 600);
  CHECK_EQUAL(count_reachable(graph), std::size_t{600});
  CHECK(test::recall(graph, matrix, 100) > 0.97);
}

TEST(hnsw_insert_links_to_the_living_where_it_can) {
  const auto matrix = test::l2_matrix(test::random_values(900, kDim, 9), kDim);
  const HnswOptions options = test::small_options();
  const Space space(matrix);
  Graph graph(options);
  Joining joining;
  for (std::uint32_t slot = 0; slot < 800; ++slot) joining.slots.push_back(slot);
  insert(graph, space, joining, options, 0, 1, {});
  joining.slots.clear();
  for (std::uint32_t slot = 800; slot < 900; ++slot) joining.slots.push_back(slot);
  joining.is_dead = [](std::uint32_t slot) { return slot % 2 == 0 && slot < 800; };
  insert(graph, space, joining, options, 0, 2, {});
  const Level& base = graph.levels[0];
  for (std::uint32_t slot = 800; slot < 900; ++slot) {
    for (std::size_t i = 0; i < degree(base.row(slot), base.width); ++i) {
      CHECK(!joining.is_dead(target(base.row(slot)[i])));
    }
  }
  check_sound(graph, options, 900);
}
