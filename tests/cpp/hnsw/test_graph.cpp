#include "hnsw/graph.h"
#include "hnsw/graphs.h"
#include "hopspan/error.h"
#include "test.h"

using namespace hopspan;
using namespace hopspan::hnsw;

namespace {

struct Built {
  HnswOptions options = test::small_options(4);
  vectors::Matrix matrix = test::l2_matrix(test::random_values(300, 4, 1), 4);
  Graph graph = test::build(matrix, options);

  std::uint32_t* row(std::size_t level, std::size_t node) {
    return graph.levels[level].links.mutable_data() + node * graph.levels[level].width;
  }
  void validate() const { hnsw::validate(graph, options, matrix.size()); }
};

}  // namespace

TEST(hnsw_validate_accepts_what_insertion_makes) {
  const Built built;
  built.validate();
  CHECK(built.graph.levels.size() > 2);
  CHECK_EQUAL(count_reachable(built.graph), std::size_t{300});
}

TEST(hnsw_validate_names_what_is_wrong) {
  Built out_of_range;
  out_of_range.row(0, 5)[0] = 300;
  CHECK_THROWS(CorruptIndexError, "node 5 of 300 links to 300", out_of_range.validate());
  Built to_itself;
  to_itself.row(0, 5)[0] = 5;
  CHECK_THROWS(CorruptIndexError, "links to 5", to_itself.validate());
  Built twice;
  twice.row(0, 5)[1] = target(twice.row(0, 5)[0]);
  CHECK_THROWS(CorruptIndexError, "node 5 has a link twice", twice.validate());
  Built gap;
  gap.row(0, 5)[1] = kNone;
  CHECK_THROWS(CorruptIndexError, "behind its last", gap.validate());
  Built freed;
  std::fill_n(freed.row(0, 5), 8, kNone);
  CHECK_THROWS(CorruptIndexError, "links to node 5, which is free", freed.validate());
  Built lower;
  lower.graph.levels[1].below.mutable_data()[0] ^= 1;
  CHECK_THROWS(CorruptIndexError, "level 1", lower.validate());
  Built entry;
  entry.graph.entry = 1000;
  CHECK_THROWS(CorruptIndexError, "entry point 1000", entry.validate());
  Built size;
  CHECK_THROWS(CorruptIndexError, "300 nodes, not 301", hnsw::validate(size.graph, size.options, 301));
  Built width;
  CHECK_THROWS(CorruptIndexError, "sizes", hnsw::validate(width.graph, test::small_options(5), 300));
}

TEST(hnsw_count_reachable_sees_an_island) {
  Built built;
  for (std::size_t node = 0; node < 300; ++node) {
    std::uint32_t* row = built.row(0, node);
    const std::size_t count = degree(row, 8);
    const auto end = std::remove_if(row, row + count, [](std::uint32_t link) { return target(link) == 17; });
    std::fill(end, row + count, kNone);
  }
  CHECK(count_reachable(built.graph) < 300);
}
