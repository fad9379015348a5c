// A distance and a node as one integer that orders by distance, then by node; the lowest bit is free for a mark.
#pragma once

#include <cstdint>
#include <cstring>

#include "core/inline.h"

namespace hopspan::distance {

// node: of 31 bits. -0 counts as 0, and NaN (large components can overflow) as infinity. No key is 0.
HOPSPAN_ALWAYS_INLINE std::uint64_t make_key(float distance, std::uint32_t node) {
  constexpr std::uint32_t kInfinity = 0x7F800000u;
  const float canonical = distance + 0.0f;
  std::uint32_t bits;
  std::memcpy(&bits, &canonical, sizeof bits);
  bits = distance == distance ? bits : kInfinity;
  bits ^= static_cast<std::uint32_t>(static_cast<std::int32_t>(bits) >> 31) | 0x80000000u;
  return static_cast<std::uint64_t>(bits) << 32 | static_cast<std::uint64_t>(node) << 1;
}

HOPSPAN_ALWAYS_INLINE std::uint32_t key_node(std::uint64_t key) { return static_cast<std::uint32_t>(key) >> 1; }

HOPSPAN_ALWAYS_INLINE float key_distance(std::uint64_t key) {
  std::uint32_t bits = static_cast<std::uint32_t>(key >> 32);
  bits ^= (bits >> 31) != 0 ? 0x80000000u : 0xFFFFFFFFu;
  float distance;
  std::memcpy(&distance, &bits, sizeof distance);
  return distance;
}

HOPSPAN_ALWAYS_INLINE bool same_node(std::uint64_t a, std::uint64_t b) { return (a ^ b) <= 1; }

}  // namespace hopspan::distance
