#include "spann/lists/product_coder.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "spann/lists/format.h"

namespace hopspan::spann {
namespace {

// ScaNN's threshold: errors count as they disturb products of at least this share of the norm.
constexpr float kThreshold = 0.2F;

// How much more an error along the vector counts than one across, less 1 (theorem 3.4 of 1908.10396).
float anisotropy(std::size_t dim, Metric metric) {
  if (metric == Metric::kL2) return 0.0F;
  const float square = kThreshold * kThreshold;
  return std::max(0.0F, static_cast<float>(dim - 1) * square / (1.0F - square) - 1.0F);
}

}  // namespace

distance::ScanShape product_shape(std::size_t dim, Metric metric) {
  const bool terms = metric == Metric::kL2;
  return list_shape(Codebook::padded(dim) / 2, terms ? distance::ScanExtras::kTerms : distance::ScanExtras::kNone);
}

ProductCoder::ProductCoder(const Codebook& codebook, Metric metric)
    : Coder(product_shape(codebook.dim(), metric)),
      codebook_(codebook),
      metric_(metric),
      stretch_(anisotropy(codebook.dim(), metric)) {}

void ProductCoder::encode(const float* head, const float* vector, Entry& entry) const {
  const std::size_t dim = codebook_.dim();
  entry.codes.resize(codebook_.codes());
  entry.residual.resize(dim);
  entry.other.resize(dim);
  float square = 0.0F;
  for (std::size_t d = 0; d < dim; ++d) {
    entry.residual[d] = vector[d] - head[d];
    square += vector[d] * vector[d];
  }
  const bool stretched = stretch_ > 0.0F && square > 0.0F;
  for (std::size_t d = 0; stretched && d < dim; ++d) entry.other[d] = vector[d] / std::sqrt(square);
  codebook_.encode(entry.residual.data(), stretched ? entry.other.data() : nullptr, stretch_, entry.codes.data());
  entry.term = metric_ == Metric::kL2 ? term(head, entry) : 0.0F;
}

// What belongs to the vector in its squared distance from a query: to the decoded vector, and to what the codes miss.
float ProductCoder::term(const float* head, Entry& entry) const {
  codebook_.decode(entry.codes.data(), entry.other.data());
  float sum = 0.0F;
  for (std::size_t d = 0; d < codebook_.dim(); ++d) {
    const float decoded = entry.other[d], missed = entry.residual[d] - decoded;
    sum += decoded * decoded + 2.0F * head[d] * decoded + missed * missed;
  }
  return std::isfinite(sum) ? sum : std::numeric_limits<float>::max();
}

void ProductCoder::make_tables(const float* query, Tables& tables) const {
  codebook_.multiply(query, metric_ == Metric::kL2 ? -2.0F : -1.0F, tables.values);
  tables.round();
}

}  // namespace hopspan::spann
