#include <set>

#include "index/sample.h"
#include "index/samples.h"
#include "test.h"
#include "vectors/query.h"

namespace {

using namespace hopspan;
using index::held_out;
using index::Sample;

vectors::Matrix rows_of(std::size_t count) {
  vectors::Matrix rows({6, Metric::kCosine, DType::kFloat16});
  rows.append(test::make_vectors(DType::kFloat16, count, 6, 1).view());
  return rows;
}

std::set<std::uint32_t> slots(const Sample& sample) { return {sample.excluded(), sample.excluded() + sample.count()}; }

}  // namespace

TEST(index_sample_draws_distinct_rows) {
  const vectors::Matrix rows = rows_of(1000);
  std::size_t in_first_half = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Sample sample = held_out(rows, 200, seed);
    CHECK_EQUAL(slots(sample).size(), std::size_t{200});
    CHECK(*slots(sample).rbegin() < 1000);
    for (std::size_t i = 0; i < 100; ++i) in_first_half += sample.excluded()[i] < 500;
  }
  CHECK(in_first_half > 850 && in_first_half < 1150);
  CHECK(slots(held_out(rows, 200, 1)) == slots(held_out(rows, 200, 1)));
  CHECK(slots(held_out(rows, 200, 1)) != slots(held_out(rows, 200, 2)));
}

TEST(index_sample_of_more_than_there_is_holds_all) {
  const vectors::Matrix rows = rows_of(30);
  CHECK_EQUAL(slots(held_out(rows, 500, 1)).size(), std::size_t{30});
}

TEST(index_sample_holds_prepared_queries) {
  const vectors::Matrix rows = rows_of(50);
  std::vector<std::byte> expected(vectors::prepared_bytes(rows.format()));
  const Sample stored = held_out(rows, 20, 1);
  for (std::size_t i = 0; i < 20; ++i) {
    vectors::prepare_stored(rows, stored.excluded()[i], expected.data());
    CHECK(std::equal(expected.begin(), expected.end(), stored.queries()[i]));
  }
  const test::Vectors given = test::make_vectors(DType::kFloat32, 20, 6, 2);
  const Sample prepared = index::prepare_queries(rows.format(), given.view());
  CHECK(prepared.excluded() == nullptr && prepared.count() == 20);
  for (std::size_t i = 0; i < 20; ++i) {
    vectors::prepare_query(rows.format(), given.view(), i, expected.data());
    CHECK(std::equal(expected.begin(), expected.end(), prepared.queries()[i]));
  }
}
