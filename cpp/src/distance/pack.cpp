// The transposition of vectors into the panels of blocks.h.
#include <algorithm>

#include "distance/blocks.h"

namespace hopspan::distance {

void pack_panels(const float* vectors, std::size_t stride, std::size_t count, std::size_t dim, std::size_t tile,
                 float* panels) {
  for (std::size_t first = 0; first < count; first += tile, panels += tile * dim) {
    const std::size_t filled = std::min(tile, count - first);
    for (std::size_t t = 0; t < filled; ++t)
      for (std::size_t d = 0; d < dim; ++d) panels[d * tile + t] = vectors[(first + t) * stride + d];
    for (std::size_t d = 0; d < dim; ++d) std::fill(panels + d * tile + filled, panels + (d + 1) * tile, 0.0f);
  }
}

}  // namespace hopspan::distance
