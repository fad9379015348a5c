// Residuals as points of a grid (RaBitQ, 2405.12497 and 2409.09913): rotated, so that all dimensions weigh alike, and
// rounded to a few bits each on a grid as wide as the residual asks for. Products with the grid point are stretched so
// that the residual's own is exact. Nothing is learnt.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hopspan/options.h"
#include "spann/lists/coder.h"
#include "spann/lists/rotation.h"

namespace hopspan::spann {

// bits: of a dimension, 4 or 2.
distance::ScanShape grid_shape(std::size_t dim, std::size_t bits);

class GridCoder final : public Coder {
 public:
  GridCoder(std::size_t dim, Metric metric, std::size_t bits, std::uint64_t seed);

  std::size_t dim() const noexcept override { return rotation_.dim(); }
  void encode(const float* head, const float* vector, Entry& entry) const override;
  void make_tables(const float* query, Tables& tables) const override;

 private:
  float stretch(const float* residual, float square, Entry& entry) const;

  Metric metric_;
  std::size_t levels_;
  std::size_t dims_;  // of a code
  Rotation rotation_;
};

}  // namespace hopspan::spann
