// Residuals as product codes: a learnt codebook, two dimensions a code. Small, for lists in memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hopspan/options.h"
#include "spann/lists/codebook.h"
#include "spann/lists/coder.h"

namespace hopspan::spann {

distance::ScanShape product_shape(std::size_t dim, Metric metric);

class ProductCoder final : public Coder {
 public:
  // The codebook must outlive it.
  ProductCoder(const Codebook& codebook, Metric metric);

  std::size_t dim() const noexcept override { return codebook_.dim(); }
  void encode(const float* head, const float* vector, Entry& entry) const override;
  void make_tables(const float* query, Tables& tables) const override;

 private:
  float term(const float* head, Entry& entry) const;

  const Codebook& codebook_;
  Metric metric_;
  float stretch_;
};

}  // namespace hopspan::spann
