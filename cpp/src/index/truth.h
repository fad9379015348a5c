// The true neighbours of a few queries among rows that come a batch at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/function_ref.h"
#include "hopspan/options.h"
#include "index/exact/panels.h"
#include "vectors/matrix.h"

namespace hopspan::index {

// Makes `out` hold the rows [first, first + count).
using ReadRows = core::FunctionRef<void(std::size_t first, std::size_t count, vectors::Matrix& out)>;

struct TruthRequest {
  std::vector<std::uint32_t> ks;            // rising
  const std::uint32_t* excluded = nullptr;  // for each query a row that counts as absent, or null
  std::size_t threads = 0;
  Progress progress;
};

// The distance, as the kernels have it, of each query's true k-th neighbour, for each k. There are more than ks.back()
// rows.
std::vector<float> true_limits(const vectors::RowFormat& format, std::size_t rows, ReadRows read,
                               const exact::Queries& queries, const TruthRequest& request);

}  // namespace hopspan::index
