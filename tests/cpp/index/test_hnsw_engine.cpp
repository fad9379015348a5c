#include "index/hnsw_engine.h"
#include "index/results.h"
#include "storage/container_bytes.h"
#include "test.h"

namespace {

using namespace hopspan;

// How large the index was when it was calibrated, as its file tells.
std::size_t calibrated_size(const Index& index) {
  const test::Bytes bytes = index.to_bytes();
  std::uint64_t size;
  test::open_bytes(bytes).read("CALB", 0, &size, sizeof size);
  return size;
}

}  // namespace

TEST(hnsw_engine_calibrates_when_the_index_has_doubled) {
  const test::Vectors data = test::make_vectors(DType::kFloat32, 3000, 12, 1);
  Index index(test::options_for(Kind::kHnsw));
  const auto grow = [&](std::size_t size) {
    index.add(data.slice(index.size(), size - index.size()));
    return calibrated_size(index);
  };
  CHECK_EQUAL(grow(900), std::size_t{0});
  CHECK_EQUAL(grow(1200), std::size_t{1200});
  CHECK_EQUAL(grow(2400), std::size_t{1200});
  CHECK_EQUAL(grow(2400), std::size_t{1200});
  CHECK_EQUAL(grow(2401), std::size_t{2401});
}

TEST(hnsw_engine_searches_a_small_index_with_full_effort) {
  const test::Vectors data = test::make_vectors(DType::kFloat32, 900, 24, 2);
  Index index(test::options_for(Kind::kHnsw, 24));
  index.add(data.view());
  const test::Vectors queries = test::make_vectors(DType::kFloat32, 100, 24, 3);
  CHECK(test::search(index, queries.view(), test::with_recall(5, 0.5)) ==
        test::search(index, queries.view(), test::with_ef(5, 900)));
}
