#include <cmath>
#include <stdexcept>

#include "core/random.h"
#include "index/results.h"
#include "index/traversal.h"
#include "storage/container_bytes.h"
#include "test.h"

namespace {

using namespace hopspan;

std::size_t code_bytes(const Index& index) {
  for (const auto& [part, bytes] : index.stats().bytes) {
    if (part == "codes") return bytes;
  }
  return 0;
}

// How many rows the codes of an index were learnt from, as its file tells.
std::size_t learnt_from(const Index& index) {
  const test::Bytes bytes = index.to_bytes();
  std::uint64_t size;
  test::open_bytes(bytes).read("QUAN", 0, &size, sizeof size);
  return size;
}

// The links of level 0 that an index of these codes gives the vectors.
std::vector<std::byte> links(const test::Vectors& data, CodeKind codes, DType dtype = DType::kFloat32) {
  IndexOptions options = test::options_for(Kind::kHnsw, dtype, Metric::kL2, data.dim);
  options.hnsw.codes = codes;
  Index index(options);
  index.add(data.view());
  const test::Bytes bytes = index.to_bytes();
  const storage::ContainerReader reader = test::open_bytes(bytes);
  std::vector<std::byte> section(reader.size("LK00"));
  reader.read("LK00", 0, section.data(), section.size());
  return section;
}

struct Cancelled : std::runtime_error {
  Cancelled() : std::runtime_error("cancelled") {}
};

}  // namespace

TEST(traversal_serves_many_rows_of_floats) {
  for (const DType dtype : test::kDTypes) {
    const test::Vectors data = test::make_vectors(dtype, 1000, 24, 1);
    Index index(test::options_for(Kind::kHnsw, dtype, test::metrics_of(dtype)[0], 24));
    index.add(data.slice(0, 999));
    CHECK_EQUAL(code_bytes(index), std::size_t{0});
    index.add(data.slice(999, 1));
    CHECK_EQUAL(code_bytes(index) != 0, quantize::Quantizer::serves(dtype));
  }
  IndexOptions without = test::options_for(Kind::kHnsw, 24);
  without.hnsw.codes = CodeKind::kNone;
  Index index(without);
  index.add(test::make_vectors(DType::kFloat32, 1000, 24, 1).view());
  CHECK_EQUAL(code_bytes(index), std::size_t{0});
}

TEST(traversal_finds_what_the_rows_say_at_their_distances) {
  for (const Metric metric : test::metrics_of(DType::kFloat32)) {
    const test::Vectors data = test::make_vectors(DType::kFloat32, 2000, 20, 2);
    const test::Vectors queries = test::make_vectors(DType::kFloat32, 100, 20, 3);
    Index graph(test::options_for(Kind::kHnsw, DType::kFloat32, metric, 20));
    Index flat(test::options_for(Kind::kFlat, DType::kFloat32, metric, 20));
    graph.add(data.view());
    flat.add(data.view());
    const test::Results found = test::search(graph, queries.view(), test::with_ef(5, 400));
    const test::Results exact = test::search(flat, queries.view(), test::with_ef(5, 5));
    std::size_t same = 0;
    for (std::size_t i = 0; i < exact.ids.size(); ++i) {
      same += found.ids[i] == exact.ids[i] ? 1 : 0;
      if (found.ids[i] == exact.ids[i]) CHECK(std::abs(found.distances[i] - exact.distances[i]) < 1e-4F);
    }
    CHECK(same >= 490);
  }
}

TEST(traversal_learns_anew_when_the_rows_have_doubled) {
  const test::Vectors data = test::make_vectors(DType::kFloat32, 3000, 12, 4);
  Index index(test::options_for(Kind::kHnsw));
  index.add(data.slice(0, 1200));
  CHECK_EQUAL(learnt_from(index), std::size_t{1200});
  index.add(data.slice(1200, 1200));
  CHECK_EQUAL(learnt_from(index), std::size_t{1200});
  index.add(data.slice(2400, 1));
  CHECK_EQUAL(learnt_from(index), std::size_t{2401});
}

TEST(traversal_is_as_before_when_adding_fails) {
  const test::Vectors data = test::make_vectors(DType::kFloat32, 4000, 12, 5);
  for (const std::size_t more : {500, 2800}) {  // with codes that are kept, and with new ones
    Index index(test::options_for(Kind::kHnsw));
    index.add(data.slice(0, 1200));
    const test::Bytes before = index.to_bytes();
    AddOptions cancelled;
    cancelled.progress = [](std::size_t, std::size_t) { throw Cancelled(); };
    CHECK_THROWS(Cancelled, "cancelled", index.add(data.slice(1200, more), nullptr, cancelled));
    CHECK(index.to_bytes() == before);
    index.add(data.slice(1200, more));
    CHECK_EQUAL(index.check(true).reachable, 1200 + more);
  }
}

TEST(traversal_is_saved_and_loaded) {
  const test::Vectors data = test::make_vectors(DType::kFloat16, 1500, 12, 6);
  Index index(test::options_for(Kind::kHnsw, DType::kFloat16, Metric::kCosine, 12));
  index.add(data.view());
  const test::Bytes bytes = index.to_bytes();
  const Index again = Index::from_bytes(bytes.data(), bytes.size());
  CHECK(again.to_bytes() == bytes);
  CHECK(test::search(again, data.slice(0, 50), test::with_ef(5, 30)) ==
        test::search(index, data.slice(0, 50), test::with_ef(5, 30)));
}

TEST(traversal_on_4_bits_finds_what_the_rows_say) {
  for (const Metric metric : test::metrics_of(DType::kFloat32)) {
    const test::Vectors data = test::make_vectors(DType::kFloat32, 2000, 72, 2);
    const test::Vectors queries = test::make_vectors(DType::kFloat32, 100, 72, 3);
    IndexOptions options = test::options_for(Kind::kHnsw, DType::kFloat32, metric, 72);
    options.hnsw.codes = CodeKind::kSq4;
    Index graph(options);
    Index flat(test::options_for(Kind::kFlat, DType::kFloat32, metric, 72));
    graph.add(data.view());
    flat.add(data.view());
    CHECK(graph.stats().codes == CodeKind::kSq4);
    const test::Results found = test::search(graph, queries.view(), test::with_ef(5, 400));
    const test::Results exact = test::search(flat, queries.view(), test::with_ef(5, 5));
    std::size_t same = 0;
    for (std::size_t i = 0; i < exact.ids.size(); ++i) same += found.ids[i] == exact.ids[i] ? 1 : 0;
    CHECK(same >= 490);
    const test::Bytes bytes = graph.to_bytes();
    CHECK(test::search(Index::from_bytes(bytes.data(), bytes.size()), queries.view(), test::with_ef(5, 400)) == found);
  }
}

TEST(traversal_on_principal_dimensions_finds_what_the_rows_say) {
  test::Vectors data = test::make_vectors(DType::kFloat32, 2000, 256, 2);
  for (std::size_t i = 0; i < data.floats.size(); ++i)  // each value nearly that of seven neighbours
    data.floats[i] = data.floats[i / 8 * 8] + 0.05F * data.floats[i];
  Index graph(test::options_for(Kind::kHnsw, 256));
  Index flat(test::options_for(Kind::kFlat, 256));
  graph.add(data.view());
  flat.add(data.view());
  CHECK_EQUAL(code_bytes(graph), std::size_t{2000 * 64});
  const test::Results found = test::search(graph, data.slice(0, 100), test::with_ef(5, 200));
  const test::Results exact = test::search(flat, data.slice(0, 100), test::with_ef(5, 5));
  std::size_t same = 0;
  for (std::size_t i = 0; i < exact.ids.size(); ++i) same += found.ids[i] == exact.ids[i] ? 1 : 0;
  CHECK(same >= 490);
  const test::Bytes bytes = graph.to_bytes();
  CHECK(test::search(Index::from_bytes(bytes.data(), bytes.size()), data.slice(0, 100), test::with_ef(5, 200)) ==
        found);
}

TEST(traversal_takes_4_bits_by_itself_where_they_save_lines_and_tell_rows_apart) {
  const auto chosen = [](std::size_t dim, float spread) {
    test::Vectors data = test::make_vectors(DType::kFloat32, 2000, dim, 2);
    for (std::size_t i = 0; i < 2000 * dim; ++i) {
      data.floats[i] = static_cast<float>(core::random_unit(2, i)) +
                       spread * static_cast<float>(core::random_unit(i / dim % 8, i % dim));
    }
    Index index(test::options_for(Kind::kHnsw, DType::kFloat32, Metric::kL2, dim));
    index.add(data.view());
    return index.stats().codes;
  };
  CHECK(chosen(256, 0.0F) == CodeKind::kSq4);
  CHECK(chosen(64, 0.0F) == CodeKind::kSq8);
  CHECK(chosen(256, 100.0F) == CodeKind::kSq8);
}

TEST(traversal_of_8_bits_chooses_the_links_of_rows_that_are_walked_themselves) {
  for (const DType dtype : {DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
    const test::Vectors data = test::make_vectors(dtype, 2000, 16, 8);
    CHECK(links(data, CodeKind::kNone, dtype) == links(data, CodeKind::kSq8, dtype));
  }
}

TEST(traversal_leaves_the_choice_of_links_to_rows_that_codes_do_not_tell_apart) {
  test::Vectors data = test::make_vectors(DType::kFloat32, 2000, 16, 8);
  for (std::size_t i = 0; i < data.floats.size(); ++i) {
    data.floats[i] =
        0.001F * data.floats[i] + static_cast<float>(core::random_u64(i / data.dim % 20, i % data.dim) % 9);
  }
  CHECK(links(data, CodeKind::kNone) != links(data, CodeKind::kSq8));
  IndexOptions options = test::options_for(Kind::kHnsw, 16);
  options.hnsw.codes = CodeKind::kNone;
  Index graph(options);
  Index flat(test::options_for(Kind::kFlat, 16));
  graph.add(data.view());
  flat.add(data.view());
  const test::Results found = test::search(graph, data.slice(0, 200), test::with_ef(5, 50));
  const test::Results exact = test::search(flat, data.slice(0, 200), test::with_ef(5, 5));
  std::size_t same = 0;
  for (std::size_t i = 0; i < exact.ids.size(); ++i) same += found.ids[i] == exact.ids[i] ? 1 : 0;
  CHECK(same >= 970);
}
