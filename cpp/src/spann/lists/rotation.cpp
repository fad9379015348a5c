#include "spann/lists/rotation.h"

#include <cmath>

#include "core/random.h"

namespace hopspan::spann {
namespace {

constexpr std::size_t kRounds = 4;

// The Walsh-Hadamard transform of `size` numbers, a power of two, scaled to keep lengths.
void hadamard(float* x, std::size_t size) {
  for (std::size_t half = 1; half < size; half *= 2) {
    for (std::size_t begin = 0; begin < size; begin += 2 * half) {
      for (std::size_t i = begin; i < begin + half; ++i) {
        const float a = x[i], b = x[i + half];
        x[i] = a + b;
        x[i + half] = a - b;
      }
    }
  }
  const float scale = 1.0F / std::sqrt(static_cast<float>(size));
  for (std::size_t i = 0; i < size; ++i) x[i] *= scale;
}

// Mixes the halves, which transforms of a part of the dimensions leave apart.
void mix_halves(float* x, std::size_t dim) {
  const float scale = std::sqrt(0.5F);
  const std::size_t other = dim - dim / 2;
  for (std::size_t i = 0; i < dim / 2; ++i) {
    const float a = x[i], b = x[i + other];
    x[i] = (a + b) * scale;
    x[i + other] = (a - b) * scale;
  }
}

}  // namespace

Rotation::Rotation(std::size_t dim, std::uint64_t seed) : dim_(dim), power_(1), signs_(kRounds * dim) {
  while (2 * power_ <= dim) power_ *= 2;
  for (std::size_t i = 0; i < signs_.size(); ++i) signs_[i] = (core::random_u64(seed, i) & 1) == 0 ? 1.0F : -1.0F;
}

void Rotation::apply(float* vector) const {
  for (std::size_t round = 0; round < kRounds; ++round) {
    const float* const signs = &signs_[round * dim_];
    for (std::size_t d = 0; d < dim_; ++d) vector[d] *= signs[d];
    hadamard(round % 2 == 0 ? vector : vector + (dim_ - power_), power_);
    if (power_ != dim_) mix_halves(vector, dim_);
  }
}

}  // namespace hopspan::spann
