// The heads of an index: clusters of a sample by hierarchical balanced k-means, then refined all together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hopspan/options.h"
#include "spann/clustering/centers.h"
#include "spann/floats.h"

namespace hopspan::spann {

struct HeadOptions {
  std::size_t heads = 1;
  std::size_t samples_per_head = 64;
  std::size_t rounds = 4;  // of refinement
  double balance = 1.0;    // as in HierarchyOptions
  bool from_data = false;  // the heads are vectors of the data in place of means
  std::uint64_t seed = 0;
  std::size_t threads = 0;
};

// At most `heads` heads, at least 1, of dim() floats each. The vectors must not be empty.
std::vector<float> make_heads(const Floats& vectors, const HeadOptions& options, const Progress& progress);

// What each of `count` points pays to join each of `centers` centres, so that sizes even out: labels[i] is the place in
// the point's list of `most` candidates (nearest first) that is cheapest.
void balance_labels(const Nearest* candidates, std::size_t count, std::size_t most, std::size_t centers, double balance,
                    std::uint8_t* labels);

}  // namespace hopspan::spann
