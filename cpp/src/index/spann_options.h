// The options of an index of kind "spann" as the lists' builder takes them, in memory and on disk.
#pragma once

#include <algorithm>
#include <cstddef>

#include "hopspan/options.h"
#include "spann/build.h"
#include "spann/lists/format.h"
#include "spann/lists/grid_coder.h"
#include "spann/lists/product_coder.h"
#include "spann/pages/format.h"

namespace hopspan::index {

// Bits of a dimension's code on disk.
inline std::size_t code_bits(std::size_t dim) { return dim < 512 ? 4 : 2; }

inline distance::ScanShape disk_shape(const IndexOptions& index) {
  return spann::grid_shape(index.dim, code_bits(index.dim));
}

inline spann::GridCoder disk_coder(const IndexOptions& index) {
  return spann::GridCoder(index.dim, index.metric, code_bits(index.dim), index.seed);
}

// fill: of a list by first copies, on average.
inline spann::BuildOptions spann_options(const IndexOptions& index, const distance::ScanShape& shape, std::size_t bytes,
                                         double fill, std::size_t vectors, std::size_t threads) {
  const SpannOptions& given = index.spann;
  spann::BuildOptions options;
  options.metric = index.metric;
  options.capacity = std::max<std::size_t>(8, spann::entries_in(shape, bytes));
  options.heads = std::max<std::size_t>(
      1, static_cast<std::size_t>(static_cast<double>(vectors) / (fill * static_cast<double>(options.capacity))));
  options.data_heads = given.data_heads;
  options.replicas.rule = given.closure == Closure::kRng ? spann::ReplicaRule::kRng : spann::ReplicaRule::kSoar;
  options.replicas.most = given.replicas;
  options.replicas.ratio = given.closure_ratio;
  options.replicas.nearest = given.closure_heads;
  options.seed = index.seed;
  options.threads = threads;
  return options;
}

inline spann::BuildOptions memory_options(const IndexOptions& index, std::size_t vectors, std::size_t threads) {
  constexpr std::size_t kListBytes = 24576;
  const std::size_t bytes = index.spann.list_bytes != 0 ? index.spann.list_bytes : kListBytes;
  const double fill = index.spann.replicas > 1 ? 0.36 : 0.54;
  return spann_options(index, spann::product_shape(index.dim, index.metric), bytes, fill, vectors, threads);
}

inline spann::BuildOptions disk_options(const IndexOptions& index, std::size_t vectors, std::size_t threads) {
  constexpr std::size_t kLeastEntries = 32;  // that the pages of a list hold
  const distance::ScanShape shape = disk_shape(index);
  std::size_t bytes = index.spann.list_bytes;
  if (bytes == 0) {
    bytes = spann::pages::page_count(spann::list_bytes(shape, kLeastEntries)) * spann::pages::kPageBytes;
  }
  const double fill = index.spann.replicas > 1 ? 0.7 : 0.8;
  return spann_options(index, shape, bytes, fill, vectors, threads);
}

}  // namespace hopspan::index
