// Random rows and prepared queries of every dtype, and their distances in double precision.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "core/random.h"
#include "distance/kernels.h"
#include "hopspan/options.h"

namespace hopspan::test {

using Bytes = std::vector<unsigned char>;

inline constexpr Metric kAllMetrics[] = {Metric::kL2, Metric::kIp, Metric::kCosine, Metric::kHamming};
inline constexpr DType kAllDTypes[] = {DType::kFloat32, DType::kFloat16, DType::kBFloat16,
                                       DType::kInt8,    DType::kUInt8,   DType::kBinary};
inline constexpr const char* kAllIsas[] = {"scalar", "avx2", "avx512", "neon"};

inline bool goes_together(Metric metric, DType dtype) {
  return (metric == Metric::kHamming) == (dtype == DType::kBinary);
}
inline bool is_exact(DType dtype) { return dtype == DType::kInt8 || dtype == DType::kUInt8 || dtype == DType::kBinary; }

inline distance::Kernel kernel_of(const distance::KernelTable& table, Metric metric, DType dtype) {
  return table.kernels[static_cast<int>(metric)][static_cast<int>(dtype)];
}

template <typename T>
void append(Bytes& bytes, T value) {
  unsigned char raw[sizeof value];
  std::memcpy(raw, &value, sizeof value);
  bytes.insert(bytes.end(), raw, raw + sizeof value);
}

inline double half_value(std::uint16_t half) {
  const int exponent = half >> 10 & 31;
  const double fraction = (half & 1023) / 1024.0;
  const double magnitude = exponent == 0 ? std::ldexp(fraction, -14) : std::ldexp(1 + fraction, exponent - 15);
  return half & 0x8000 ? -magnitude : magnitude;
}

inline double bfloat_value(std::uint16_t bits) {
  const std::uint32_t wide = std::uint32_t{bits} << 16;
  float value;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}

// The bytes as the kernels see them and the values that they stand for.
struct Vector {
  Bytes bytes;
  std::vector<double> values;
  float scale = 0;
};

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : seed_(seed) {}

  std::uint64_t bits() { return core::random_u64(seed_, counter_++); }
  float real() { return static_cast<float>((bits() % 20001) / 10000.0 - 1.0) * (bits() % 16 == 0 ? 8.0f : 1.0f); }

  Vector make(Metric metric, DType dtype, std::size_t dim, bool query) {
    Vector vector;
    const std::size_t elements = dtype == DType::kBinary ? (dim + 7) / 8 : dim;
    for (std::size_t i = 0; i < elements; ++i) add_element(vector, dtype, query);
    if (dtype == DType::kBinary && dim % 8 != 0)
      vector.values.back() = vector.bytes.back() &= static_cast<unsigned char>(0xFF00 >> dim % 8);
    if (metric == Metric::kCosine) {
      vector.scale = 0.001f + static_cast<float>(bits() % 1000) / 1000.0f;
      append(vector.bytes, vector.scale);
    }
    return vector;
  }

 private:
  void add_element(Vector& vector, DType dtype, bool query) {
    if (dtype == DType::kFloat32 || (query && (dtype == DType::kFloat16 || dtype == DType::kBFloat16))) {
      const float value = real();
      append(vector.bytes, value);
      vector.values.push_back(value);
    } else if (dtype == DType::kFloat16) {
      // Exponents up to 2^3, subnormals included.
      const auto half = static_cast<std::uint16_t>((bits() & 0x8000) | bits() % 0x4800);
      append(vector.bytes, half);
      vector.values.push_back(half_value(half));
    } else if (dtype == DType::kBFloat16) {
      const auto bfloat = static_cast<std::uint16_t>((bits() & 0x8000) | (0x3C00 + bits() % 0x0500));
      append(vector.bytes, bfloat);
      vector.values.push_back(bfloat_value(bfloat));
    } else {
      const auto byte = static_cast<unsigned char>(bits());
      vector.bytes.push_back(byte);
      vector.values.push_back(dtype == DType::kInt8 ? static_cast<signed char>(byte) : byte);
    }
  }

  std::uint64_t seed_;
  std::uint64_t counter_ = 0;
};

// What docs/numerics.md states: a kernel's distance lies within `bound` of `distance`.
struct Reference {
  double distance;
  double bound;
};

inline Reference reference(Metric metric, const Vector& query, const Vector& row) {
  double sum = 0, terms = 0;
  const std::size_t size = query.values.size();
  for (std::size_t i = 0; i < size; ++i) {
    const double q = query.values[i], x = row.values[i];
    double term = q * x;
    if (metric == Metric::kL2) term = (q - x) * (q - x);
    if (metric == Metric::kHamming) {
      term = 0;
      for (int difference = static_cast<int>(q) ^ static_cast<int>(x); difference != 0; difference >>= 1)
        term += difference & 1;
    }
    sum += term;
    terms += std::fabs(term);
  }
  const double scale = metric == Metric::kCosine ? static_cast<double>(query.scale) * row.scale : 1.0;
  const double unit = std::ldexp(1.0, -24);
  const double c = static_cast<double>(size) / 4 + 8;
  if (metric == Metric::kL2 || metric == Metric::kHamming) return {sum, c * unit * terms};
  return {1.0 - sum * scale, c * unit * terms * scale + unit};
}

}  // namespace hopspan::test
