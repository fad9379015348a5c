// How far float32 sums can be from the distances that they stand for, so that a scan in float32 never loses a
// neighbour.
//
// A float32 sum of n products, in any order, with or without fused multiply-add, is off by at most gamma(n) times the
// sum of the products' magnitudes (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1). The bounds
// here allow for a few roundings more than there are, which also covers those of double precision.
#pragma once

#include <cstddef>

#include "vectors/matrix.h"

namespace hopspan::index::exact {

// The smallest and the largest Euclidean norm of some rows; {0, infinity} where norms are out of float32's good range.
struct NormRange {
  double smallest;
  double largest;
};

NormRange norm_range(const vectors::Matrix& rows, std::size_t begin, std::size_t end);

// The error of a float32 sum of dim products, relative to the sum of their magnitudes.
double gamma(std::size_t dim);

// Squares and products of values up to kLargest neither overflow nor, from kSmallest on, lose precision in float32.
inline constexpr double kLargestNorm = 1e18;
inline constexpr double kSmallestNorm = 1e-15;

// When `kth` is the k-th smallest upper bound, no row with a lower bound above limit(kth) is among the k nearest.
class Margin {
 public:
  Margin() = default;
  Margin(double relative, double absolute) : relative_(relative), absolute_(absolute) {}

  float limit(float kth) const;

 private:
  double relative_ = 0.0;
  double absolute_ = 0.0;
};

// For the distances that the one-to-many kernels give.
Margin kernel_margin(const vectors::RowFormat& format, double query_norm, const NormRange& rows);

// For scores made of block products: low or high bounds of |x|^2 / 2 minus <q, x> under l2; minus <q, x> under ip;
// minus <q, x> of unit vectors under cosine.
Margin product_margin(const vectors::RowFormat& format, double query_norm, const NormRange& rows);

}  // namespace hopspan::index::exact
