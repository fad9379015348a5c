#include <functional>

#include "hopspan/error.h"
#include "index/graph_sections.h"
#include "storage/container_bytes.h"
#include "test.h"

namespace {

using namespace hopspan;
using hnsw::Graph;
using hnsw::Level;

core::Array<std::uint32_t> array_of(const std::vector<std::uint32_t>& values) {
  core::Array<std::uint32_t> array;
  array.resize(values.size());
  std::copy(values.begin(), values.end(), array.mutable_data());
  return array;
}

const HnswOptions kOptions{2, 8, false, false};

// Three rows, of which the last is on level 1 too.
Graph example() {
  Graph graph(kOptions);
  graph.levels[0].links = array_of({1, 2, hnsw::kNone, hnsw::kNone, 0, hnsw::kNone, hnsw::kNone, hnsw::kNone, 0,
                                    hnsw::kNone, hnsw::kNone, hnsw::kNone});
  graph.levels[0].size = 3;
  Level above;
  above.slots = array_of({2});
  above.below = array_of({2});
  above.links = array_of({hnsw::kNone, hnsw::kNone});
  above.width = 2;
  above.size = 1;
  graph.levels.push_back(std::move(above));
  graph.entry = 0;
  return graph;
}

Graph again(const Graph& graph, std::size_t rows = 3) {
  test::Bytes bytes;
  storage::MemoryWriter file(bytes);
  storage::ContainerWriter writer(file, 1);
  index::write_graph(graph, writer);
  writer.finish();
  return index::read_graph(test::open_bytes(bytes), kOptions, rows, rows);
}

void refuse(const char* message, const std::function<void(Graph&)>& change) {
  Graph graph = example();
  change(graph);
  CHECK_THROWS(CorruptIndexError, message, again(graph));
}

}  // namespace

TEST(index_graph_survives_writing) {
  const Graph copy = again(example());
  hnsw::validate(copy, kOptions, 3);
  CHECK(copy.levels.size() == 2 && copy.entry == 0 && copy.levels[0].row(0)[1] == 2 && copy.levels[1].slots[0] == 2);
  CHECK_EQUAL(again(Graph(kOptions), 0).size(), std::size_t{0});
}

TEST(index_graph_refuses_sizes_that_disagree) {
  CHECK_THROWS(CorruptIndexError, "level 0 of the graph has 3 nodes", again(example(), 4));
  CHECK_THROWS(CorruptIndexError, "level 0 of the graph has 3 nodes", again(example(), 2));
  refuse("section LK00 holds 11 numbers, not 12", [](Graph& g) { g.levels[0].links.resize(11); });
  refuse("section SL01 holds 2 numbers, not 1", [](Graph& g) { g.levels[1].slots.resize(2); });
  refuse("section BL01 holds 0 numbers, not 1", [](Graph& g) { g.levels[1].below.resize(0); });
  refuse("level 1 of the graph has 4 nodes", [](Graph& g) { g.levels[1].size = 4; });
  refuse("level 1 of the graph has 0 nodes", [](Graph& g) { g.levels[1].size = 0; });
  refuse("no entry point 1", [](Graph& g) { g.entry = 1; });
  refuse("no entry point 4294967295", [](Graph& g) { g.entry = hnsw::kNone; });
  refuse("the graph has 0 levels", [](Graph& g) { g.levels.clear(); });
  refuse("the graph has 33 levels", [](Graph& g) { g.levels.resize(33); });
}
