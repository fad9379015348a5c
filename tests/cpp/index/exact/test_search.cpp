#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "index/exact/search.h"
#include "index/sample.h"
#include "index/samples.h"
#include "test.h"
#include "vectors/elements.h"
#include "vectors/query.h"

namespace {

using namespace hopspan;
using index::IdMap;
using index::Sample;
using index::exact::Searcher;
using test::Vectors;

struct Results {
  std::vector<std::int64_t> ids;
  std::vector<float> distances;
};

bool operator==(const Results& a, const Results& b) { return a.ids == b.ids && a.distances == b.distances; }

double distance(Metric metric, const std::vector<float>& q, const std::vector<float>& x) {
  double squares = 0.0, dot = 0.0, qq = 0.0, xx = 0.0;
  for (std::size_t i = 0; i < q.size(); ++i) {
    const double a = q[i], b = x[i];
    squares += (a - b) * (a - b);
    dot += a * b;
    qq += a * a;
    xx += b * b;
  }
  if (metric == Metric::kL2) return squares;
  return metric == Metric::kIp ? 1.0 - dot : 1.0 - dot / std::sqrt(qq * xx);
}

double differing_bits(const std::byte* a, const std::byte* b, std::size_t bytes) {
  int count = 0;
  for (std::size_t i = 0; i < 8 * bytes; ++i) {
    count += static_cast<int>((a[i / 8] ^ b[i / 8]) >> (i % 8) & std::byte{1}) != 0;
  }
  return count;
}

// Brute force in double precision over what is stored.
Results reference(const vectors::Matrix& rows, const IdMap& id_map, const Sample& sample, std::size_t k,
                  const std::uint32_t* excluded = nullptr) {
  const vectors::RowFormat& format = rows.format();
  Results results;
  std::vector<float> query(format.dim), row(format.dim);
  for (std::size_t q = 0; q < sample.count(); ++q) {
    std::vector<std::pair<double, std::int64_t>> all;
    vectors::query_to_floats(format, sample.queries()[q], query.data());
    for (std::uint32_t slot = 0; slot < rows.size(); ++slot) {
      if (excluded != nullptr && excluded[q] == slot) continue;
      vectors::row_to_floats(format, rows.row(slot), row.data());
      all.emplace_back(format.metric == Metric::kHamming
                           ? differing_bits(sample.queries()[q], rows.row(slot), rows.stride())
                           : distance(format.metric, query, row),
                       id_map.id(slot));
    }
    std::sort(all.begin(), all.end());
    all.resize(k, {std::numeric_limits<double>::infinity(), -1});
    for (const auto& [d, id] : all) {
      results.ids.push_back(id);
      results.distances.push_back(static_cast<float>(d));
    }
  }
  return results;
}

Results search(const vectors::Matrix& rows, const IdMap& id_map, const Sample& sample, std::size_t k,
               std::size_t threads = 1, const std::uint32_t* excluded = nullptr) {
  Results results{std::vector<std::int64_t>(sample.count() * k), std::vector<float>(sample.count() * k)};
  Searcher(rows).search(sample.queries(), id_map, {k, excluded, threads, {}}, results.ids.data(),
                        results.distances.data());
  return results;
}

// The sums of the two may be rounded differently in double precision.
void check_same(const Results& got, const Results& expected) {
  for (std::size_t i = 0; i < got.ids.size(); ++i) {
    CHECK_EQUAL(got.ids[i], expected.ids[i]);
    const float d = expected.distances[i];
    CHECK(got.distances[i] == d || std::abs(got.distances[i] - d) <= 1.2e-7F * std::abs(d) + 1e-15F);
  }
}

vectors::Matrix matrix(const Vectors& data, Metric metric, DType dtype) {
  vectors::Matrix rows({data.dim, metric, dtype});
  rows.append(data.view());
  return rows;
}

Sample queries_for(const vectors::Matrix& rows, const Vectors& data) {
  vectors::check_queries(rows.format(), data.view());
  return index::prepare_queries(rows.format(), data.view());
}

// Few queries are compared with the rows one by one, many are multiplied with blocks of them.
constexpr std::size_t kFew = 20;
constexpr std::size_t kMany = 70;

void check_against_reference(const Vectors& data, const Vectors& queries, Metric metric, DType dtype, std::size_t k) {
  const vectors::Matrix rows = matrix(data, metric, dtype);
  const IdMap id_map(rows.size());
  const Sample sample = queries_for(rows, queries);
  check_same(search(rows, id_map, sample, k), reference(rows, id_map, sample, k));
}

}  // namespace

TEST(index_exact_search_is_brute_force_in_double_precision) {
  for (const DType dtype : test::kDTypes) {
    for (const Metric metric : test::metrics_of(dtype)) {
      for (const std::size_t dim : {1, 7, 33, 100}) {
        const Vectors data = test::make_vectors(dtype, 707, dim, 1);
        for (const std::size_t count : {kFew, kMany}) {
          const Vectors queries = test::make_vectors(dtype, count, dim, 2);
          check_against_reference(data, queries, metric, dtype, 10);
        }
      }
    }
  }
}

TEST(index_exact_search_gives_any_k) {
  const Vectors data = test::make_vectors(DType::kFloat32, 300, 12, 3);
  for (const std::size_t count : {kFew, kMany}) {
    const Vectors queries = test::make_vectors(DType::kFloat32, count, 12, 4);
    for (const std::size_t k : {1, 2, 65, 299, 300, 301, 900}) {
      check_against_reference(data, queries, Metric::kL2, DType::kFloat32, k);
    }
  }
}

TEST(index_exact_search_of_nothing) {
  const vectors::Matrix rows({4, Metric::kL2, DType::kFloat32});
  for (const std::size_t count : {kFew, kMany}) {
    const Results found = search(rows, IdMap(), queries_for(rows, test::make_vectors(DType::kFloat32, count, 4, 5)), 2);
    CHECK(found.ids == std::vector<std::int64_t>(2 * count, -1));
    CHECK(found.distances == std::vector<float>(2 * count, std::numeric_limits<float>::infinity()));
  }
}

TEST(index_exact_search_orders_ties_by_id) {
  const Vectors data = test::make_grid(2000, 3, 6);
  std::vector<std::int64_t> ids(data.rows);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int64_t>((i * 7919) % 2003 + 5);
  core::Array<std::int64_t> listed;
  listed.resize(ids.size());
  std::copy(ids.begin(), ids.end(), listed.mutable_data());
  const IdMap id_map(std::move(listed), 2008);
  for (const Metric metric : {Metric::kL2, Metric::kIp, Metric::kCosine}) {
    const vectors::Matrix rows = matrix(data, metric, DType::kFloat32);
    for (const std::size_t count : {kFew, kMany}) {
      const Sample sample = queries_for(rows, test::make_grid(count, 3, 7));
      for (const std::size_t k : {1, 10, 150})
        check_same(search(rows, id_map, sample, k), reference(rows, id_map, sample, k));
    }
  }
}

TEST(index_exact_search_among_equal_rows_takes_the_smallest_ids) {
  Vectors data{20000, 8, DType::kFloat32, std::vector<float>(20000 * 8, 0.3F), {}};
  for (const std::size_t count : {kFew, kMany}) {
    const Vectors queries = test::make_vectors(DType::kFloat32, count, 8, 8);
    const vectors::Matrix rows = matrix(data, Metric::kL2, DType::kFloat32);
    const Results found = search(rows, IdMap(rows.size()), queries_for(rows, queries), 5);
    for (std::size_t i = 0; i < found.ids.size(); ++i) CHECK_EQUAL(found.ids[i], static_cast<std::int64_t>(i % 5));
  }
}

// Float32 products of such vectors keep nothing of the differences between them.
TEST(index_exact_search_sees_what_float32_cannot) {
  Vectors data = test::make_vectors(DType::kFloat32, 1500, 24, 9);
  for (const float offset : {100.0F, 30000.0F}) {
    Vectors shifted = data, queries = test::make_vectors(DType::kFloat32, kMany, 24, 10);
    for (float& value : shifted.floats) value = offset + 0.01F * value;
    for (float& value : queries.floats) value = offset + 0.01F * value;
    for (const Metric metric : {Metric::kL2, Metric::kIp, Metric::kCosine}) {
      check_against_reference(shifted, queries, metric, DType::kFloat32, 10);
      queries.rows = kFew;
      check_against_reference(shifted, queries, metric, DType::kFloat32, 10);
      queries.rows = kMany;
    }
  }
}

// Permutations of one vector are equally far from a constant one; in double precision that shows, in float32 it does
// not.
TEST(index_exact_search_sees_ties_that_float32_does_not) {
  Vectors data{900, 40, DType::kFloat32, {}, {}};
  std::vector<float> row;
  for (std::size_t i = 0; i < data.dim; ++i) row.push_back(static_cast<float>(core::random_u64(20, i) >> 44));
  for (std::size_t i = 0; i < data.rows; ++i) {
    for (std::size_t d = data.dim; d > 1; --d) std::swap(row[d - 1], row[core::random_u64(21 + i, d) % d]);
    data.floats.insert(data.floats.end(), row.begin(), row.end());
  }
  for (const std::size_t count : {kFew, kMany}) {
    Vectors queries{count, data.dim, DType::kFloat32, {}, {}};
    for (std::size_t i = 0; i < count * data.dim; ++i)
      queries.floats.push_back(1013.0F * static_cast<float>(i / data.dim + 1));
    for (const Metric metric : {Metric::kL2, Metric::kIp, Metric::kCosine}) {
      check_against_reference(data, queries, metric, DType::kFloat32, 100);
    }
  }
}

TEST(index_exact_search_of_huge_and_tiny_values) {
  constexpr std::size_t kDim = 2;  // a sum of two does not depend on their order
  const float scales[] = {1e-42F, 1e-30F, 3e-22F, 1.0F, 1e17F, 1.3e19F, 4e19F, 1e30F, 1e37F};
  const auto representable = [](float scale) { return scale > 1e-36F && scale < 1e36F; };
  const auto scaled = [](Vectors made, float scale, std::size_t step) {
    for (std::size_t i = 0; i < made.floats.size(); ++i) made.floats[i] *= i / kDim % step == 0 ? scale : 1.0F;
    return made;
  };
  for (const float row_scale : scales) {
    for (const float query_scale : scales) {
      for (const std::size_t count : {kFew, kMany}) {
        const Vectors queries = scaled(test::make_vectors(DType::kFloat32, count, kDim, 12), query_scale, 1);
        for (const std::size_t step : {1, 3}) {
          const Vectors data = scaled(test::make_vectors(DType::kFloat32, 150, kDim, 11), row_scale, step);
          for (const Metric metric : {Metric::kL2, Metric::kIp, Metric::kCosine}) {
            if (metric == Metric::kCosine && !(representable(row_scale) && representable(query_scale))) continue;
            for (const std::size_t k : {10, 120}) check_against_reference(data, queries, metric, DType::kFloat32, k);
          }
        }
      }
    }
  }
}

TEST(index_exact_search_leaves_out_the_excluded_slot) {
  const Vectors data = test::make_vectors(DType::kFloat32, 500, 10, 13);
  const vectors::Matrix rows = matrix(data, Metric::kL2, DType::kFloat32);
  const IdMap id_map(rows.size());
  for (const std::size_t count : {kFew, kMany}) {
    const Sample sample = index::held_out(rows, count, 14);
    const Results found = search(rows, id_map, sample, 10, 1, sample.excluded());
    check_same(found, reference(rows, id_map, sample, 10, sample.excluded()));
    CHECK(!(found == search(rows, id_map, sample, 10)));
  }
}

TEST(index_exact_search_is_the_same_on_any_number_of_threads) {
  const Vectors data = test::make_vectors(DType::kFloat32, 9000, 16, 15);
  const vectors::Matrix rows = matrix(data, Metric::kIp, DType::kFloat32);
  const IdMap id_map(rows.size());
  for (const std::size_t count : {kFew, kMany}) {
    const Sample sample = queries_for(rows, test::make_vectors(DType::kFloat32, count, 16, 16));
    const Results alone = search(rows, id_map, sample, 20, 1);
    for (const std::size_t threads : {2, 5}) CHECK(search(rows, id_map, sample, 20, threads) == alone);
  }
}

TEST(index_exact_search_can_be_cancelled) {
  struct Cancelled {};
  const Vectors data = test::make_vectors(DType::kFloat32, 4000, 64, 17);
  const vectors::Matrix rows = matrix(data, Metric::kL2, DType::kFloat32);
  const Sample sample = queries_for(rows, test::make_vectors(DType::kFloat32, kMany, 64, 18));
  std::vector<std::int64_t> ids(sample.count());
  std::vector<float> distances(sample.count());
  bool cancelled = false;
  try {
    Searcher(rows).search(sample.queries(), IdMap(rows.size()),
                          {1, nullptr, 1, [](std::size_t, std::size_t) { throw Cancelled(); }}, ids.data(),
                          distances.data());
  } catch (const Cancelled&) {
    cancelled = true;
  }
  CHECK(cancelled);
}
