#include "spann/clustering/ranked_heads.h"

#include <cmath>

namespace hopspan::spann {
namespace {

std::vector<float> lengths_of(const float* heads, std::size_t count, std::size_t dim) {
  std::vector<float> lengths(count, 0.0F);
  for (std::size_t h = 0; h < count; ++h) {
    for (std::size_t d = 0; d < dim; ++d) lengths[h] += heads[h * dim + d] * heads[h * dim + d];
    lengths[h] = std::sqrt(lengths[h]);
  }
  return lengths;
}

Centers unit_centers(const float* heads, const std::vector<float>& lengths, std::size_t dim) {
  std::vector<float> units(heads, heads + lengths.size() * dim);
  for (std::size_t i = 0; i < units.size(); ++i) {
    if (lengths[i / dim] > 0.0F) units[i] /= lengths[i / dim];
  }
  return Centers(units.data(), lengths.size(), dim);
}

}  // namespace

RankedHeads::RankedHeads(const float* heads, std::size_t count, std::size_t dim, Metric metric)
    : metric_(metric),
      lengths_(metric == Metric::kCosine ? lengths_of(heads, count, dim) : std::vector<float>()),
      centers_(lengths_.empty() ? Centers(heads, count, dim) : unit_centers(heads, lengths_, dim)) {}

}  // namespace hopspan::spann
