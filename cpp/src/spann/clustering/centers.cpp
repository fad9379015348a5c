#include "spann/clustering/centers.h"

#include <algorithm>
#include <limits>

#include "core/checked.h"
#include "distance/blocks.h"

namespace hopspan::spann {
namespace {

constexpr float kFarthest = std::numeric_limits<float>::max();  // also what overflow makes
constexpr std::size_t kCentersAtOnce = 384;  // whose products with kVectorsAtOnce vectors stay in the cache

float squared_norm(const float* vector, std::size_t dim) {
  float lanes[4] = {};
  std::size_t d = 0;
  for (; d + 4 <= dim; d += 4) {
    for (std::size_t i = 0; i < 4; ++i) lanes[i] += vector[d + i] * vector[d + i];
  }
  for (; d < dim; ++d) lanes[0] += vector[d] * vector[d];
  return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
}

float* floats(core::Buffer& buffer, std::size_t count) {
  if (buffer.size() < count * sizeof(float)) buffer.resize(count * sizeof(float));
  return reinterpret_cast<float*>(buffer.data());
}

// Sifts one vector's products with some centres into its sorted list of nearest ones.
struct Sieve {
  const float* norms;  // null: products alone
  std::size_t most;

  float value(const float* products, std::size_t i) const {
    const float value = norms == nullptr ? -products[i] : norms[i] - 2.0F * products[i];
    return value < kFarthest ? value : kFarthest;
  }

  void sift(const float* products, std::size_t count, std::uint32_t first, Nearest* list) const {
    constexpr std::size_t kStep = 8;
    for (std::size_t begin = 0; begin < count; begin += kStep) {
      const std::size_t end = std::min(begin + kStep, count);
      const float worst = list[most - 1].distance;
      if (end - begin == kStep) {
        int wanted = 0;
        for (std::size_t i = 0; i < kStep; ++i) wanted |= value(products, begin + i) < worst;
        if (wanted == 0) continue;
      }
      for (std::size_t i = begin; i < end; ++i)
        insert({value(products, i), first + static_cast<std::uint32_t>(i)}, list);
    }
  }

  void insert(Nearest next, Nearest* list) const {
    if (!(next.distance < list[most - 1].distance)) return;
    std::size_t at = most - 1;
    for (; at > 0 && list[at - 1].distance > next.distance; --at) list[at] = list[at - 1];
    list[at] = next;
  }
};

}  // namespace

void add_norms(const float* vectors, std::size_t count, std::size_t dim, std::size_t kept, std::size_t apart,
               Nearest* lists) {
  for (std::size_t v = 0; v < count; ++v) {
    const float norm = squared_norm(vectors + v * dim, dim);
    for (std::size_t i = 0; i < kept; ++i) {
      lists[v * apart + i].distance = std::max(0.0F, lists[v * apart + i].distance + norm);
    }
  }
}

Centers::Centers(const float* centers, std::size_t count, std::size_t dim) : dim_(dim) {
  const std::size_t tile = distance::blocks().row_tile;
  float* const panels = floats(panels_, core::checked_mul(distance::panel_count(count, tile) * tile, dim));
  distance::pack_panels(centers, dim, count, dim, tile, panels);
  for (std::size_t c = 0; c < count; ++c) norms_.push_back(squared_norm(centers + c * dim, dim));
}

void Centers::rank(const float* vectors, std::size_t count, bool products_only, std::size_t most, Work& work,
                   Nearest* out) const {
  const std::size_t kept = std::min(most, norms_.size());
  for (std::size_t v = 0; v < count; ++v) {
    std::fill(out + v * most, out + v * most + kept, Nearest{std::numeric_limits<float>::infinity(), 0});
  }
  sift(vectors, count, products_only, kept, most, 0, work, out);
}

// Lists of `most` entries lie `apart` in `out`.
void Centers::sift(const float* vectors, std::size_t count, bool products_only, std::size_t most, std::size_t apart,
                   std::uint32_t first_number, Work& work, Nearest* out) const {
  const distance::BlockTable& table = distance::blocks();
  const std::size_t vector_panels = distance::panel_count(count, table.query_tile);
  float* const packed = floats(work.vectors, vector_panels * table.query_tile * dim_);
  distance::pack_panels(vectors, dim_, count, dim_, table.query_tile, packed);
  const std::size_t step = kCentersAtOnce / table.row_tile * table.row_tile;
  float* const products = floats(work.products, vector_panels * table.query_tile * step);
  const float* const panels = reinterpret_cast<const float*>(panels_.data());
  for (std::size_t first = 0; first < norms_.size(); first += step) {
    const std::size_t some = std::min(step, norms_.size() - first);
    table.dot(packed, vector_panels, panels + first * dim_, distance::panel_count(some, table.row_tile), dim_, products,
              step);
    const Sieve sieve{products_only ? nullptr : norms_.data() + first, most};
    for (std::size_t v = 0; v < count; ++v) {
      sieve.sift(products + v * step, some, first_number + static_cast<std::uint32_t>(first), out + v * apart);
    }
  }
}

void Centers::nearest(const float* vectors, std::size_t count, std::size_t most, Work& work, Nearest* out) const {
  rank(vectors, count, false, most, work, out);
  add_norms(vectors, count, dim_, std::min(most, norms_.size()), most, out);
}

void Centers::improve(const float* vectors, std::size_t count, std::size_t most, std::uint32_t first, Work& work,
                      Nearest* out) const {
  sift(vectors, count, false, most, most, first, work, out);
}

void Centers::probe(const float* queries, std::size_t count, Metric metric, std::size_t most, Work& work,
                    Nearest* out) const {
  rank(queries, count, metric != Metric::kL2, most, work, out);
}

}  // namespace hopspan::spann
