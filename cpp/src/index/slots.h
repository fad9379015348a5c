// Sets of slots, as ascending vectors.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "index/id_map.h"

namespace hopspan::index {

using Slots = IdMap::Slots;

inline bool has(const Slots& slots, std::uint32_t slot) { return std::binary_search(slots.begin(), slots.end(), slot); }

inline Slots united(const Slots& a, const Slots& b) {
  Slots all;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(all));
  return all;
}

inline Slots common(const Slots& a, const Slots& b) {
  Slots both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

// Those of `a` that are not in `b`.
inline Slots without(const Slots& a, const Slots& b) {
  Slots left;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(left));
  return left;
}

}  // namespace hopspan::index
