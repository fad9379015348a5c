// What a search or a tuning may be asked for.
#pragma once

#include <cstddef>

#include "hopspan/matrix_view.h"
#include "hopspan/options.h"

namespace hopspan::index {

// Throw InvalidArgument naming the value.
void check_search(Kind kind, const SearchOptions& options);
// queries: null data stands for stored vectors.
void check_tune(const TuneOptions& options, const MatrixView& queries);

}  // namespace hopspan::index
