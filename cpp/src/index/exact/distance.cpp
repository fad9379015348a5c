#include "index/exact/distance.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "distance/kernels.h"
#include "vectors/convert.h"
#include "vectors/query.h"

namespace hopspan::index::exact {
namespace {

constexpr std::size_t kLanes = 8;

// Elements of the stored types, some at a time, as doubles.
template <typename T>
struct Plain {
  static void load(const void* data, std::size_t first, std::size_t count, double* out) {
    T values[kLanes];
    std::memcpy(values, static_cast<const T*>(data) + first, count * sizeof(T));
    for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<double>(values[i]);
  }
};

template <void (*kWiden)(const void*, std::size_t, void*)>
struct Half {
  static void load(const void* data, std::size_t first, std::size_t count, double* out) {
    float values[kLanes];
    kWiden(static_cast<const std::byte*>(data) + first * 2, count, values);
    for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<double>(values[i]);
  }
};

using Float32 = Plain<float>;
using Float16 = Half<vectors::widen_float16>;
using BFloat16 = Half<vectors::widen_bfloat16>;

struct L2 {
  double sum[kLanes] = {};
  void step(std::size_t lane, double q, double x) { sum[lane] += (q - x) * (q - x); }
  double finish() const { return fold(sum); }
  static double fold(const double* lanes) {
    return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
  }
};

struct Ip {
  double dot[kLanes] = {};
  void step(std::size_t lane, double q, double x) { dot[lane] += q * x; }
  double finish() const { return 1.0 - L2::fold(dot); }
};

struct Cosine {
  double dot[kLanes] = {};
  double qq[kLanes] = {};
  double xx[kLanes] = {};
  void step(std::size_t lane, double q, double x) {
    dot[lane] += q * x;
    qq[lane] += q * q;
    xx[lane] += x * x;
  }
  // One root of the product, so that a vector is at distance 0 from itself.
  double finish() const { return 1.0 - L2::fold(dot) / std::sqrt(L2::fold(qq) * L2::fold(xx)); }
};

template <typename Sum, typename Query, typename Row>
double measure(const void* query, const void* row, std::size_t dim) {
  Sum sum;
  double q[kLanes];
  double x[kLanes];
  std::size_t i = 0;
  for (; i + kLanes <= dim; i += kLanes) {
    Query::load(query, i, kLanes, q);
    Row::load(row, i, kLanes, x);
    for (std::size_t lane = 0; lane < kLanes; ++lane) sum.step(lane, q[lane], x[lane]);
  }
  if (i < dim) {
    Query::load(query, i, dim - i, q);
    Row::load(row, i, dim - i, x);
    for (std::size_t lane = 0; lane < dim - i; ++lane) sum.step(lane, q[lane], x[lane]);
  }
  return sum.finish();
}

template <typename Sum>
DistanceFn choose(const vectors::RowFormat& format) {
  if (format.bytes) return measure<Sum, Float32, Plain<std::uint8_t>>;
  switch (format.dtype) {
    case DType::kFloat32:
      return measure<Sum, Float32, Float32>;
    case DType::kFloat16:
      return measure<Sum, Float32, Float16>;
    case DType::kBFloat16:
      return measure<Sum, Float32, BFloat16>;
    case DType::kInt8:
      return measure<Sum, Plain<std::int8_t>, Plain<std::int8_t>>;
    case DType::kUInt8:
      return measure<Sum, Plain<std::uint8_t>, Plain<std::uint8_t>>;
    case DType::kBinary:
      break;
  }
  return nullptr;
}

double hamming(const void* query, const void* row, std::size_t dim) {
  static const distance::OneFn one = vectors::kernel_of(Metric::kHamming, DType::kBinary).one;
  return one(query, row, dim);
}

}  // namespace

DistanceFn distance_fn(const vectors::RowFormat& format) {
  switch (format.metric) {
    case Metric::kL2:
      return choose<L2>(format);
    case Metric::kIp:
      return choose<Ip>(format);
    case Metric::kCosine:
      return choose<Cosine>(format);
    case Metric::kHamming:
      break;
  }
  return hamming;
}

}  // namespace hopspan::index::exact
