// Distances in double precision between a prepared query and a stored row (both laid out as in distance/kernels.h).
#pragma once

#include <cstddef>

#include "vectors/matrix.h"

namespace hopspan::index::exact {

using DistanceFn = double (*)(const void* query, const void* row, std::size_t dim);

DistanceFn distance_fn(const vectors::RowFormat& format);

}  // namespace hopspan::index::exact
