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

// The recall of one effort for each k, which is searched for by itself; 0 where k is above the effort. A result counts
// when it is no farther than the true k-th neighbour.
struct Measurement {
  std::size_t effort;
  std::vector<double> recalls;
  std::vector<double> errors;  // their standard errors
  std::vector<double> qps;
};

// Writes the `k` results of sample query `query` with `effort` to `out` and returns how many there are.
using SearchFn =
    core::FunctionRef<std::size_t(std::size_t query, std::size_t k, std::size_t effort, hnsw::Neighbor* out)>;

struct MeasureOptions {
  std::vector<std::uint32_t> ks;  // rising, and below the number of rows
  double tolerance;               // the standard error of high recalls at which fewer queries than all will do
  std::size_t threads;
  Progress progress;
};

// The numbers of neighbours that recall is measured for, of an index of `size`.
std::vector<std::uint32_t> calibrated_ks(std::size_t size);

// Rising efforts, up to one that finds nearly everything. holes: slots that are never found, ascending.
std::vector<Measurement> measure(const vectors::Matrix& rows, const Sample& sample, const MeasureOptions& options,
                                 SearchFn search, const std::vector<std::uint32_t>& holes = {});

// The same of `size` rows whose distances are known: `limits` has that of each query's true k-th neighbour, for each k.
std::vector<Measurement> measure(const std::vector<float>& limits, std::size_t size, const Sample& sample,
                                 const MeasureOptions& options, SearchFn search);

// caution: how many standard errors less than was measured it counts on.
Calibration make_calibration(std::size_t size, const std::vector<std::uint32_t>& ks,
                             const std::vector<Measurement>& measured, double caution);

}  // namespace hopspan::index
