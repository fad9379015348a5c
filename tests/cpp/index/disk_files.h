// Indexes on disk for the tests of how they are built and searched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/random.h"
#include "faults/fault_env.h"
#include "hopspan/build.h"
#include "index/disk_build.h"
#include "index/disk_index.h"
#include "vectors/source.h"

namespace hopspan::test {

// Clusters of vectors around 20 points.
inline std::vector<float> clustered(std::size_t count, std::size_t dim, std::uint64_t seed) {
  std::vector<float> all(count * dim);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t cluster = core::random_u64(seed, i) % 20;
    for (std::size_t d = 0; d < dim; ++d) {
      all[i * dim + d] =
          static_cast<float>(3.0 * core::random_unit(99, cluster * dim + d) + core::random_unit(seed + 1, i * dim + d));
    }
  }
  return all;
}

inline BuildOptions disk_options(std::size_t dim, Metric metric = Metric::kL2, DType dtype = DType::kFloat32) {
  BuildOptions options;
  options.index.dim = dim;
  options.index.metric = metric;
  options.index.dtype = dtype;
  options.index.kind = Kind::kSpann;
  options.index.spann.list_bytes = 2048;
  options.memory = std::size_t{64} << 20;
  options.threads = 2;
  return options;
}

inline void build_disk(storage::Env& env, const std::vector<float>& vectors, const BuildOptions& options,
                       const char* path = "index") {
  const std::size_t dim = options.index.dim;
  const vectors::ArraySource source(MatrixView{vectors.data(), vectors.size() / dim, dim, DType::kFloat32});
  index::build_on_disk(env, source, path, options);
}

inline std::unique_ptr<index::DiskIndex> open_disk(storage::Env& env, const char* path = "index") {
  return std::make_unique<index::DiskIndex>(env.open_direct(path), true, 0);
}

}  // namespace hopspan::test
