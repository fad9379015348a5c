#include "quantize/principal.h"

#include <algorithm>
#include <cmath>

#include "core/random.h"
#include "core/threads.h"
#include "distance/blocks.h"

namespace hopspan::quantize {
namespace {

constexpr int kIterations = 8;
constexpr double kNoDirection = 1e-12;

using Floats = std::vector<float>;

// Panels (distance/blocks.h) whose vectors are the columns of `rows` row-major rows of `dim` floats.
Floats column_panels(const float* values, std::size_t rows, std::size_t dim, std::size_t tile) {
  const std::size_t panels = distance::panel_count(dim, tile);
  Floats out(panels * tile * rows, 0.0f);
  for (std::size_t p = 0; p < panels; ++p) {
    const std::size_t first = p * tile, width = std::min(tile, dim - first);
    for (std::size_t i = 0; i < rows; ++i)
      std::copy_n(values + i * dim + first, width, out.data() + (p * rows + i) * tile);
  }
  return out;
}

// out[a * n_b + b] = the product of column a of A and column b of B, both of `rows` row-major rows.
Floats column_products(const float* a, std::size_t n_a, const float* b, std::size_t n_b, std::size_t rows,
                       std::size_t threads) {
  const distance::BlockTable& blocks = distance::blocks();
  const Floats a_panels = column_panels(a, rows, n_a, blocks.query_tile);
  const Floats b_panels = column_panels(b, rows, n_b, blocks.row_tile);
  const std::size_t a_count = distance::panel_count(n_a, blocks.query_tile);
  const std::size_t b_count = distance::panel_count(n_b, blocks.row_tile);
  const std::size_t width = b_count * blocks.row_tile;
  Floats out(n_a * n_b);
  core::parallel_for(a_count, 1, threads, {}, [&](std::size_t begin, std::size_t end, std::size_t) {
    Floats some(blocks.query_tile * width);
    for (std::size_t p = begin; p < end; ++p) {
      blocks.dot(a_panels.data() + p * blocks.query_tile * rows, 1, b_panels.data(), b_count, rows, some.data(), width);
      const std::size_t first = p * blocks.query_tile;
      for (std::size_t t = 0; t < std::min(blocks.query_tile, n_a - first); ++t)
        std::copy_n(some.data() + t * width, n_b, out.data() + (first + t) * n_b);
    }
  });
  return out;
}

double dot(const float* a, const float* b, std::size_t dim) {
  double sums[8] = {};
  std::size_t j = 0;
  for (; j + 8 <= dim; j += 8)
    for (std::size_t l = 0; l < 8; ++l) sums[l] += static_cast<double>(a[j + l]) * b[j + l];
  for (; j < dim; ++j) sums[0] += static_cast<double>(a[j]) * b[j];
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

void subtract(float* a, const float* b, double factor, std::size_t dim) {
  const auto f = static_cast<float>(factor);
  for (std::size_t j = 0; j < dim; ++j) a[j] -= f * b[j];
}

void fill_random(float* row, std::size_t dim, std::uint64_t seed, std::uint64_t counter) {
  for (std::size_t j = 0; j < dim; ++j) row[j] = static_cast<float>(core::random_unit(seed, counter * dim + j) - 0.5);
}

// Makes `count` rows orthonormal, twice over for the rounding; a row that is left with nothing starts again at random.
void orthonormalise(float* rows, std::size_t count, std::size_t dim, std::uint64_t seed) {
  for (std::size_t i = 0; i < count; ++i) {
    float* const row = rows + i * dim;
    for (std::uint64_t attempt = 0;; ++attempt) {
      const double before = std::sqrt(dot(row, row, dim));
      for (int pass = 0; pass < 2; ++pass)
        for (std::size_t k = 0; k < i; ++k) subtract(row, rows + k * dim, dot(row, rows + k * dim, dim), dim);
      const double norm = std::sqrt(dot(row, row, dim));
      if (norm > kNoDirection && norm > 1e-5 * before) {
        for (std::size_t j = 0; j < dim; ++j) row[j] = static_cast<float>(row[j] / norm);
        break;
      }
      fill_random(row, dim, seed, attempt * count + i + count);
    }
  }
}

// Scales everything so that the second moments stay in the range of float32.
void normalise(Floats& values) {
  float largest = 0.0f;
  for (const float value : values) largest = std::max(largest, std::fabs(value));
  if (!(largest > 0.0f)) return;
  for (float& value : values) value /= largest;
}

}  // namespace

Floats principal_directions(const Sample& sample, std::size_t count, std::size_t threads, std::uint64_t seed) {
  const std::size_t dim = sample.dim;
  Floats values = sample.values;
  normalise(values);
  Floats moments = column_products(values.data(), dim, values.data(), dim, sample.size, threads);
  normalise(moments);
  Floats directions(count * dim);
  for (std::size_t i = 0; i < count; ++i) fill_random(directions.data() + i * dim, dim, seed, i);
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    orthonormalise(directions.data(), count, dim, seed);
    // The moments are symmetric: their rows are their columns.
    Floats transposed(directions.size());
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t j = 0; j < dim; ++j) transposed[j * count + i] = directions[i * dim + j];
    directions = column_products(transposed.data(), count, moments.data(), dim, dim, threads);
  }
  orthonormalise(directions.data(), count, dim, seed);
  return directions;
}

Floats mixed(const Floats& directions, std::size_t count, std::size_t dim, std::size_t threads, std::uint64_t seed) {
  Floats rotation(count * count);
  for (std::size_t i = 0; i < count; ++i) fill_random(rotation.data() + i * count, count, seed, i);
  orthonormalise(rotation.data(), count, count, seed);
  return column_products(rotation.data(), count, directions.data(), dim, count, threads);
}

}  // namespace hopspan::quantize
