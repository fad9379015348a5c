// Hierarchical balanced k-means: cuts points into clusters of about the same size, a few branches at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hopspan/options.h"

namespace hopspan::spann {

struct HierarchyOptions {
  std::size_t clusters = 1;
  std::size_t branches = 32;   // of one cut
  std::size_t samples = 4096;  // that a cut is learnt from
  double balance = 1.0;        // weight of the term that evens sizes out
  std::uint64_t seed = 0;
  std::size_t threads = 0;
};

// Returns the means of at most `clusters` clusters, dim floats each, of `count` >= 1 points. Every branch gets clusters
// in proportion to its points. The result does not depend on the number of threads.
std::vector<float> hierarchical_means(const float* points, std::size_t count, std::size_t dim,
                                      const HierarchyOptions& options, const Progress& progress);

}  // namespace hopspan::spann
