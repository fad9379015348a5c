// Indexes of samples and what searches of them give.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hopspan/index.h"
#include "index/samples.h"

namespace hopspan::test {

struct Results {
  std::vector<std::int64_t> ids;
  std::vector<float> distances;
};

inline bool operator==(const Results& a, const Results& b) { return a.ids == b.ids && a.distances == b.distances; }

inline IndexOptions options_for(Kind kind, DType dtype, Metric metric, std::size_t dim) {
  IndexOptions options;
  options.dim = dim;
  options.metric = metric;
  options.kind = kind;
  options.dtype = dtype;
  options.seed = 7;
  options.hnsw.M = 8;
  options.hnsw.ef_construction = 60;
  return options;
}

inline IndexOptions options_for(Kind kind, std::size_t dim = 12) {
  return options_for(kind, DType::kFloat32, Metric::kL2, dim);
}

inline SearchOptions with_ef(std::size_t k, std::size_t ef) {
  SearchOptions options;
  options.k = k;
  options.ef = ef;
  options.threads = 1;
  return options;
}

inline SearchOptions with_recall(std::size_t k, double recall) {
  SearchOptions options;
  options.k = k;
  options.recall = recall;
  return options;
}

// Of an Index or an index::Store.
template <typename AnyIndex>
Results search(const AnyIndex& index, const MatrixView& queries, const SearchOptions& options) {
  Results results{std::vector<std::int64_t>(queries.rows * options.k), std::vector<float>(queries.rows * options.k)};
  index.search(queries, options, results.ids.data(), results.distances.data());
  return results;
}

inline constexpr Kind kKinds[] = {Kind::kFlat, Kind::kHnsw};

}  // namespace hopspan::test
