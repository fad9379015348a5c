// The transposition of vectors into the panels of blocks.h.
#include <algorithm>

#include "distance/blocks.h"

namespace hopspan::distance {
namespace {

// So many elements of every vector of a panel stay in the first-level cache together.
constexpr std::size_t kElements = 16;

void pack_panel(const float* vectors, std::size_t stride, std::size_t filled, std::size_t dim, std::size_t tile,
                float* panel) {
  for (std::size_t first = 0; first < dim; first += kElements) {
    const std::size_t end = std::min(first + kElements, dim);
    for (std::size_t t = 0; t < filled; ++t)
      for (std::size_t d = first; d < end; ++d) panel[d * tile + t] = vectors[t * stride + d];
  }
  if (filled == tile) return;
  for (std::size_t d = 0; d < dim; ++d) std::fill(panel + d * tile + filled, panel + (d + 1) * tile, 0.0f);
}

}  // namespace

void pack_panels(const float* vectors, std::size_t stride, std::size_t count, std::size_t dim, std::size_t tile,
                 float* panels) {
  for (std::size_t first = 0; first < count; first += tile, panels += tile * dim)
    pack_panel(vectors + first * stride, stride, std::min(tile, count - first), dim, tile, panels);
}

}  // namespace hopspan::distance
