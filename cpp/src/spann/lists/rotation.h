// A pseudo-random rotation: sign flips, Hadamard transforms and rotations by 45 degrees in turn, O(dim log dim).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hopspan::spann {

class Rotation {
 public:
  // The same for the same dim and seed.
  Rotation(std::size_t dim, std::uint64_t seed);

  std::size_t dim() const noexcept { return dim_; }
  // In place; lengths and products stay what they are.
  void apply(float* vector) const;

 private:
  std::size_t dim_;
  std::size_t power_;         // the largest power of two up to dim
  std::vector<float> signs_;  // 1 or -1, dim for each round
};

}  // namespace hopspan::spann
