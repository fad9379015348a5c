// Counter-based random numbers: a value depends on the seed and a counter only, never on the order of calls.
#pragma once

#include <cstdint>

namespace hopspan::core {

// SplitMix64's finaliser over the counter-th step of the stream named by `seed`.
inline std::uint64_t random_u64(std::uint64_t seed, std::uint64_t counter) {
  std::uint64_t z = seed * 0xD1342543DE82EF95ULL + (counter + 1) * 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

// Uniform in (0, 1].
inline double random_unit(std::uint64_t seed, std::uint64_t counter) {
  return (static_cast<double>(random_u64(seed, counter) >> 11) + 1.0) * 0x1.0p-53;
}

}  // namespace hopspan::core
