#include <stdexcept>

#include "hnsw/graphs.h"
#include "hnsw/insert.h"
#include "hnsw/newcomers.h"
#include "test.h"

using namespace hopspan;
using namespace hopspan::hnsw;

namespace {

constexpr std::size_t kDim = 8;

// Every link with the tree's mark has its counterpart, and the marked links alone connect all nodes of each level.
void check_trees(const Graph& graph) {
  for (const Level& level : graph.levels) {
    std::vector<bool> met(level.size);
    std::vector<std::uint32_t> open{0};
    met[0] = true;
    std::size_t count = 1;
    std::size_t marked = 0;
    while (!open.empty()) {
      const std::uint32_t node = open.back();
      open.pop_back();
      for (std::size_t i = 0; i < level.width && level.row(node)[i] != kNone; ++i) {
        const std::uint32_t link = level.row(node)[i];
        if (!is_tree(link)) continue;
        ++marked;
        const std::uint32_t* back = level.row(target(link));
        CHECK(std::find(back, back + level.width, node | kTreeBit) != back + level.width);
        if (met[target(link)]) continue;
        met[target(link)] = true;
        ++count;
        open.push_back(target(link));
      }
    }
    CHECK_EQUAL(count, level.size);
    CHECK_EQUAL(marked, 2 * (level.size - 1));
  }
}

void check_sound(const Graph& graph, const HnswOptions& options, std::size_t size) {
  validate(graph, options, size);
  check_trees(graph);
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
