#include <algorithm>
#include <vector>

#include "distance/kernels.h"
#include "spann/build.h"
#include "spann/gaussians.h"
#include "spann/lists/memory_lists.h"
#include "spann/lists/product_coder.h"
#include "spann/search.h"
#include "test.h"

using hopspan::CorruptIndexError;
using hopspan::Metric;
using hopspan::test::gaussians;
namespace spann = hopspan::spann;

namespace {

constexpr std::size_t kCount = 5000, kDim = 12, kQueries = 50, kK = 10;

struct Made {
  Made() : rows(gaussians(kCount, kDim, 1)), queries(gaussians(kQueries, kDim, 9)) {
    options.heads = 120;
    options.capacity = 90;
    lists = spann::build(spann::MatrixFloats(rows), options, {});
  }
  hopspan::vectors::Matrix rows, queries;
  spann::BuildOptions options;
  spann::Lists lists;
};

double recall(const Made& made, std::size_t probes, std::size_t slots = kCount) {
  const hopspan::distance::OneFn one = hopspan::distance::kernels().kernels[0][0].one;
  const spann::Centers centers(made.lists.heads.data(), made.lists.lists.size(), kDim);
  const spann::MemoryLists source(made.lists.lists);
  const spann::ProductCoder coder(made.lists.codebook, Metric::kL2);
  const spann::ListSearcher searcher(coder, source, slots);
  spann::Centers::Work work;
  spann::SearchScratch scratch;
  std::size_t hits = 0;
  for (std::size_t q = 0; q < kQueries; ++q) {
    const auto* const query = reinterpret_cast<const float*>(made.queries.row(q));
    probes = std::min(probes, centers.count());
    std::vector<spann::Nearest> heads(probes);
    centers.probe(query, 1, Metric::kL2, probes, work, heads.data());
    std::vector<spann::Found> found(kK), truth;
    const std::size_t count = searcher.search(
        {query, heads.data(), probes, kK, 60},
        [&](const std::uint32_t* numbers, std::size_t n, float* out) {
          for (std::size_t i = 0; i < n; ++i) out[i] = one(query, made.rows.row(numbers[i]), kDim);
        },
        scratch, found.data());
    for (std::uint32_t i = 0; i < kCount; ++i) truth.push_back({one(query, made.rows.row(i), kDim), i});
    std::partial_sort(truth.begin(), truth.begin() + kK, truth.end());
    for (std::size_t i = 0; i < count; ++i) hits += found[i].distance <= truth[kK - 1].distance;
  }
  return static_cast<double>(hits) / (kQueries * kK);
}

}  // namespace

TEST(list_search_finds_more_with_more_lists) {
  const Made made;
  CHECK(recall(made, 100000) > 0.98);
  CHECK(recall(made, 12) > 0.9);
  CHECK(recall(made, 1) < recall(made, 12));
}

TEST(list_search_refuses_a_slot_that_does_not_exist) {
  const Made made;
  CHECK_THROWS(CorruptIndexError, "a list holds vector", recall(made, 100, 10));
}
