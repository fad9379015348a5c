// What a search may be asked for.
#pragma once

#include <cstddef>

#include "hopspan/options.h"

namespace hopspan::index {

// Throw InvalidArgument naming the value.
void check_k(std::size_t k);
void check_search(Kind kind, const SearchOptions& options);

}  // namespace hopspan::index
