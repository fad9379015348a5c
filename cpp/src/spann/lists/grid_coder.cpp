#include "spann/lists/grid_coder.h"

#include <algorithm>
#include <cmath>

#include "spann/lists/format.h"

namespace hopspan::spann {
namespace {

constexpr std::size_t kValues = 16;                                                  // of a code
constexpr float kWidths[] = {1.0F, 0.88F, 0.77F, 0.68F, 0.6F, 0.52F, 0.44F, 0.36F};  // of the widest dimension

}  // namespace

distance::ScanShape grid_shape(std::size_t dim, std::size_t bits) {
  const std::size_t codes = (dim * bits + 3) / 4;
  return list_shape((codes + 1) / 2 * 2, distance::ScanExtras::kRoundedTermsAndFactors);
}

GridCoder::GridCoder(std::size_t dim, Metric metric, std::size_t bits, std::uint64_t seed)
    : Coder(grid_shape(dim, bits)),
      metric_(metric),
      levels_(std::size_t{1} << bits),
      dims_(4 / bits),
      rotation_(dim, seed) {}

void GridCoder::encode(const float* head, const float* vector, Entry& entry) const {
  const std::size_t dim = this->dim();
  entry.residual.assign(vector, vector + dim);
  entry.other.assign(head, head + dim);
  rotation_.apply(entry.residual.data());
  rotation_.apply(entry.other.data());
  float square = 0.0F, along = 0.0F;  // of the residual, and its product with the head
  for (std::size_t d = 0; d < dim; ++d) {
    entry.residual[d] -= entry.other[d];
    square += entry.residual[d] * entry.residual[d];
    along += entry.residual[d] * entry.other[d];
  }
  entry.factor = finite(stretch(entry.residual.data(), square, entry));
  float decoded = 0.0F;  // the head's product with the grid point
  const float middle = 0.5F * static_cast<float>(levels_ - 1);
  for (std::size_t d = 0; d < dim; ++d) {
    const std::size_t level = entry.codes[d / dims_] / (d % dims_ == 0 ? 1 : levels_) % levels_;
    decoded += entry.other[d] * (static_cast<float>(level) - middle);
  }
  entry.term = metric_ == Metric::kL2 ? finite(square) : metric_ == Metric::kCosine ? finite(-along) : 0.0F;
  entry.product = metric_ == Metric::kL2 ? 2.0F * decoded : metric_ == Metric::kCosine ? decoded : 0.0F;
}

// Writes the codes of the grid that points best into the residual's direction; returns what stretches its points.
float GridCoder::stretch(const float* residual, float square, Entry& entry) const {
  entry.codes.assign(2 * shape().pairs, 0);
  float widest = 0.0F;
  for (std::size_t d = 0; d < dim(); ++d) widest = std::max(widest, std::fabs(residual[d]));
  if (!(widest > 0.0F) || !std::isfinite(square)) return 0.0F;
  const float middle = 0.5F * static_cast<float>(levels_ - 1), last = static_cast<float>(levels_ - 1);
  float best = 0.0F, product = 0.0F, best_inverse = 0.0F;
  const auto level_of = [&](std::size_t d, float inverse) {
    return std::floor(std::clamp(residual[d] * inverse + middle + 0.5F, 0.0F, last));
  };
  for (const float width : kWidths) {
    const float inverse = 0.5F * static_cast<float>(levels_) / (widest * width);
    float along = 0.0F, length = 0.0F;
    for (std::size_t d = 0; d < dim(); ++d) {
      const float point = level_of(d, inverse) - middle;
      along += point * residual[d];
      length += point * point;
    }
    if (!(along * along > best * length)) continue;
    best = along * along / length;
    product = along;
    best_inverse = inverse;
  }
  for (std::size_t d = 0; d < dim(); ++d) {
    const std::size_t level = static_cast<std::size_t>(level_of(d, best_inverse));
    entry.codes[d / dims_] =
        static_cast<std::uint8_t>(entry.codes[d / dims_] + (d % dims_ == 0 ? level : level * levels_));
  }
  return product > 0.0F ? square / product : 0.0F;
}

void GridCoder::make_tables(const float* query, Tables& tables) const {
  tables.query.assign(query, query + dim());
  rotation_.apply(tables.query.data());
  const std::size_t codes = 2 * shape().pairs;
  tables.query.resize(codes * dims_, 0.0F);
  tables.values.resize(codes * kValues);
  const float weight = metric_ == Metric::kL2 ? -2.0F : -1.0F;
  const float middle = 0.5F * static_cast<float>(levels_ - 1);
  for (std::size_t code = 0; code < codes; ++code) {
    const float* const q = &tables.query[code * dims_];
    for (std::size_t value = 0; value < kValues; ++value) {
      float sum = q[0] * (static_cast<float>(value % levels_) - middle);
      if (dims_ == 2) sum += q[1] * (static_cast<float>(value / levels_) - middle);
      tables.values[code * kValues + value] = weight * sum;
    }
  }
  tables.round();
}

}  // namespace hopspan::spann
