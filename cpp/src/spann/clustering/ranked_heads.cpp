#include "spann/clustering/ranked_heads.h"

#include <cmath>

namespace hopspan::spann {
namespace {

HeadLengths lengths_of(const float* heads, std::size_t count, std::size_t dim) {
  HeadLengths lengths;
  for (std::size_t h = 0; h < count; ++h) {
    float square = 0.0F;
    for (std::size_t d = 0; d < dim; ++d) square += heads[h * dim + d] * heads[h * dim + d];
    lengths.push_back(std::sqrt(square));
  }
  return lengths;
}

Centers unit_centers(const float* heads, const HeadLengths& lengths, std::size_t count, std::size_t dim) {
  std::vector<float> units(heads, heads + count * dim);
  for (std::size_t i = 0; i < units.size(); ++i) {
    if (lengths[i / dim] > 0.0F) units[i] /= lengths[i / dim];
  }
  return Centers(units.data(), count, dim);
}

}  // namespace

RankedHeads::RankedHeads(const float* heads, std::size_t count, std::size_t dim, Metric metric)
    : metric_(metric),
      lengths_(metric == Metric::kCosine ? lengths_of(heads, count, dim) : HeadLengths()),
      centers_(lengths_.empty() ? Centers(heads, count, dim) : unit_centers(heads, lengths_, count, dim)) {}

}  // namespace hopspan::spann
