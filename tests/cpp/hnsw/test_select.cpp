#include "hnsw/graphs.h"
#include "hnsw/scratch.h"
#include "hnsw/select.h"
#include "test.h"

using namespace hopspan;
using namespace hopspan::hnsw;

namespace {

// Base at 0; nodes at 1, 2, -3, -3.5 and 10 on a line: 2 lies behind 1, -3.5 behind -3, 10 behind 1.
struct Line {
  std::vector<float> places{1, 2, -3, -3.5f, 10};
  vectors::Matrix matrix = test::l2_matrix(places, 1);
  Level level;
  std::vector<std::uint64_t> candidates;

  Line() {
    level.size = places.size();
    for (std::uint32_t i = 0; i < places.size(); ++i) candidates.push_back(make_key(places[i] * places[i], i));
    std::swap(candidates[0], candidates[3]);
  }

  std::vector<std::uint32_t> select(std::size_t max, std::size_t filled, std::vector<std::uint64_t> kept = {}) {
    Selector().select(level, Space(matrix), candidates, max, filled, kept);
    std::vector<std::uint32_t> nodes;
    for (const std::uint64_t key : kept) nodes.push_back(key_node(key));
    return nodes;
  }
};

}  // namespace

TEST(hnsw_select_keeps_one_in_each_direction) { CHECK((Line().select(5, 0) == std::vector<std::uint32_t>{0, 2})); }

TEST(hnsw_select_stops_at_the_limit) { CHECK((Line().select(1, 0) == std::vector<std::uint32_t>{0})); }

TEST(hnsw_select_fills_up_with_the_nearest_pruned) {
  CHECK((Line().select(4, 4) == std::vector<std::uint32_t>{0, 2, 1, 3}));
}

TEST(hnsw_select_fills_up_no_further_than_asked) {
  CHECK((Line().select(5, 3) == std::vector<std::uint32_t>{0, 2, 1}));
  CHECK((Line().select(5, 1) == std::vector<std::uint32_t>{0, 2}));
}

TEST(hnsw_select_wants_no_fewer_than_M_links_under_ip) {
  const auto values = test::random_values(20, 4, 1);
  vectors::Matrix products({4, Metric::kIp, DType::kFloat32});
  products.append({values.data(), 20, 4, DType::kFloat32});
  HnswOptions options = test::small_options(8);
  Level level;
  level.width = 16;
  CHECK_EQUAL(least_degree(options, level, Space(products)), std::size_t{8});
  CHECK_EQUAL(least_degree(options, level, Space(test::l2_matrix(values, 4))), std::size_t{0});
  options.keep_pruned_connections = true;
  CHECK_EQUAL(least_degree(options, level, Space(products)), std::size_t{12});
}

TEST(hnsw_select_honours_what_is_kept_in_any_case) {
  Line line;
  line.candidates = {make_key(1, 0), make_key(9, 2), make_key(12.25f, 3)};
  CHECK((line.select(5, 0, {make_key(4, 1)}) == std::vector<std::uint32_t>{1, 0, 2}));
}
