// The order of results at the same distance.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace hopspan::index {

// Neighbours at the same distance are in the order of their slots; ids may be in another.
inline void order_ties(std::int64_t* ids, const float* distances, std::size_t count) {
  for (std::size_t begin = 0, end; begin < count; begin = end) {
    for (end = begin + 1; end < count && distances[end] == distances[begin];) ++end;
    if (end - begin > 1) std::sort(ids + begin, ids + end);
  }
}

}  // namespace hopspan::index
