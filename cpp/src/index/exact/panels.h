// Stored rows and prepared queries packed for distance/blocks.h, with what turns products into bounds on scores.
#pragma once

#include <cstddef>
#include <vector>

#include "core/buffer.h"
#include "distance/blocks.h"
#include "vectors/matrix.h"

namespace hopspan::index::exact {

// Prepared queries that lie one after another.
struct Queries {
  const std::byte* data;
  std::size_t stride;
  std::size_t count;

  const std::byte* operator[](std::size_t i) const noexcept { return data + i * stride; }
};

// A block of consecutive rows. A row's score lies between low()[i] and high()[i], less its product with the query and
// give or take the query's product_margin.
class RowPanels {
 public:
  RowPanels(const vectors::Matrix& rows, std::size_t max_count);

  void pack(std::size_t first, std::size_t count);

  std::size_t first() const noexcept { return first_; }
  std::size_t count() const noexcept { return count_; }
  std::size_t panel_count() const noexcept { return distance::panel_count(count_, distance::blocks().row_tile); }
  const float* panels() const noexcept { return reinterpret_cast<const float*>(panels_.data()); }
  const float* low() const noexcept { return low_.data(); }
  const float* high() const noexcept { return high_.data(); }

 private:
  void scale_to_unit(std::size_t i, float* elements);
  void bound_half_norm(std::size_t i, const float* elements);

  const vectors::Matrix& rows_;
  core::Buffer panels_;
  core::Buffer elements_;
  std::vector<float> low_;
  std::vector<float> high_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

// Packs all the queries, scaled to unit length under cosine.
core::Buffer pack_queries(const vectors::RowFormat& format, const Queries& queries);

// The Euclidean norm of a prepared query's elements.
double query_norm(const vectors::RowFormat& format, const void* query);

}  // namespace hopspan::index::exact
