// Measures what recall a search reaches at rising efforts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/function_ref.h"
#include "hnsw/search.h"
#include "hopspan/options.h"
#include "index/calibration.h"
#include "index/sample.h"

namespace hopspan::index {

// Recall at one effort for each k, over the sample. A result counts when it is no farther than the true k-th neighbour.
struct Measurement {
  std::size_t effort;
  std::vector<double> mean;   // 0 where k is above the effort
  std::vector<double> error;  // the mean's standard error
  double seconds;
};

// Writes the `k` results of sample query `query` with `effort` to `out` and returns how many there are.
using SearchFn =
    core::FunctionRef<std::size_t(std::size_t query, std::size_t k, std::size_t effort, hnsw::Neighbor* out)>;

struct MeasureOptions {
  std::vector<std::uint32_t> ks;  // rising; clipped to what the rows can give
  double enough;                  // the mean recall, for every k, at which it stops
  std::size_t threads;
  Progress progress;
};

std::vector<Measurement> measure(const hnsw::Space& space, const Sample& sample, const MeasureOptions& options,
                                 SearchFn search);

// A calibration that counts on one standard error less than the mean.
Calibration calibrate(std::size_t size, const std::vector<std::uint32_t>& ks, const std::vector<Measurement>& measured);

}  // namespace hopspan::index
