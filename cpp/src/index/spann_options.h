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

inline constexpr std::size_t kCodeBits = 2;  // of a dimension on disk

inline distance::ScanShape disk_shape(const IndexOptions& index) { return spann::grid_shape(index.dim, kCodeBits); }

inline spann::GridCoder disk_coder(const IndexOptions& index) {
  return spann::GridCoder(index.dim, index.metric, kCodeBits, index.seed);
}

inline constexpr std::size_t kMemoryReplicas = 2;
inline constexpr std::size_t kDiskReplicas = 8;

// heads: what serves, at least 1.
inline spann::BuildOptions spann_options(const IndexOptions& index, std::size_t capacity, double heads,
                                         std::size_t replicas, std::size_t threads) {
  const SpannOptions& given = index.spann;
  spann::BuildOptions options;
  options.metric = index.metric;
  options.capacity = capacity;
  options.heads = std::max<std::size_t>(1, static_cast<std::size_t>(heads));
  options.data_heads = given.data_heads;
  options.replicas.rule = given.closure == Closure::kRng ? spann::ReplicaRule::kRng : spann::ReplicaRule::kSoar;
  options.replicas.most = replicas;
  options.replicas.ratio = given.closure_ratio;
  options.replicas.nearest = given.closure_heads;
  options.seed = index.seed;
  options.threads = threads;
  return options;
}

inline std::size_t list_capacity(const distance::ScanShape& shape, std::size_t bytes) {
  return std::max<std::size_t>(8, spann::entries_in(shape, bytes));
}

inline spann::BuildOptions memory_options(const IndexOptions& index, std::size_t vectors, std::size_t threads) {
  constexpr std::size_t kListBytes = 24576;
  const std::size_t bytes = index.spann.list_bytes != 0 ? index.spann.list_bytes : kListBytes;
  const std::size_t replicas = index.spann.replicas != 0 ? index.spann.replicas : kMemoryReplicas;
  const std::size_t capacity = list_capacity(spann::product_shape(index.dim, index.metric), bytes);
  const double fill = replicas > 1 ? 0.36 : 0.54;  // of a list by first copies, on average
  const double heads = static_cast<double>(vectors) / (fill * static_cast<double>(capacity));
  return spann_options(index, capacity, heads, replicas, threads);
}

inline std::size_t disk_replicas(const IndexOptions& index) {
  return index.spann.replicas != 0 ? index.spann.replicas : kDiskReplicas;
}

// How many heads first copies ask for.
inline std::size_t least_disk_heads(std::size_t vectors, std::size_t capacity) {
  constexpr double kMostFill = 0.8;  // of a list by first copies, on average
  return static_cast<std::size_t>(static_cast<double>(vectors) / (kMostFill * static_cast<double>(capacity))) + 1;
}

// As many heads as their share of memory holds and copies of vectors fill the lists of, or as first copies ask for.
inline spann::BuildOptions disk_options(const IndexOptions& index, std::size_t row_bytes, std::size_t vectors,
                                        std::size_t threads) {
  constexpr std::size_t kLeastEntries = 32;  // that the pages of a list hold
  constexpr double kMemoryShare = 0.015;     // of the vectors
  constexpr double kCopiesPerReplica = 0.9;  // that lists have room for
  const distance::ScanShape shape = disk_shape(index);
  std::size_t bytes = index.spann.list_bytes;
  if (bytes == 0) {
    bytes = spann::pages::page_count(spann::list_bytes(shape, kLeastEntries)) * spann::pages::kPageBytes;
  }
  const std::size_t capacity = list_capacity(shape, bytes), replicas = disk_replicas(index);
  const double count = static_cast<double>(vectors), entries = static_cast<double>(capacity);
  const double fitting =
      kMemoryShare * count * static_cast<double>(row_bytes) / static_cast<double>(index.dim + 2 * sizeof(float));
  const double filled = kCopiesPerReplica * static_cast<double>(replicas) * count / entries;
  const double heads = std::max(static_cast<double>(least_disk_heads(vectors, capacity)), std::min(fitting, filled));
  return spann_options(index, capacity, heads, replicas, threads);
}

}  // namespace hopspan::index
