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
  std::size_t k;
  const std::uint32_t* excluded = nullptr;  // for each query a row that counts as absent, or null
  std::size_t threads = 0;
  Progress progress;
};

// The k nearest rows of each query, nearest first and ties by number, k apart. There are more than k rows.
std::vector<std::uint32_t> true_neighbors(const vectors::RowFormat& format, std::size_t rows, ReadRows read,
                                          const exact::Queries& queries, const TruthRequest& request);

}  // namespace hopspan::index
