#include "vectors/encode.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "hopspan/error.h"
#include "vectors/convert.h"
#include "vectors/names.h"

namespace hopspan::vectors {
namespace {

// Within these the scale, also times that of a query in [1, 2), is a normal float32.
constexpr double kMinNorm = 0x1p-125;
constexpr double kMaxNorm = 0x1p125;

std::string format_number(double value, int digits = 6) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*g", digits, value);
  return text;
}

// With as few digits as tell it from every other float.
std::string format_float(float value) {
  for (int digits = 6; digits < 9; ++digits) {
    const std::string text = format_number(value, digits);
    if (std::strtof(text.c_str(), nullptr) == value) return text;
  }
  return format_number(value, 9);
}

std::string row_name(std::size_t row) { return "row " + std::to_string(row); }

[[noreturn]] void refuse_value(std::size_t row, std::size_t column, float value, const std::string& reason) {
  throw InvalidArgument(row_name(row) + ", column " + std::to_string(column) + ": " + format_float(value) + " " +
                        reason);
}

void check_finite(bool finite, std::size_t row) {
  if (!finite) throw InvalidArgument(row_name(row) + " has a NaN or infinite value");
}

template <void (*Narrow)(const void*, std::size_t, void*)>
void encode_half(const void* floats, std::size_t dim, std::size_t row, std::uint16_t exponent, const char* limit,
                 void* out) {
  check_finite(all_finite(floats, dim, kFloat32Exponent), row);
  Narrow(floats, dim, out);
  if (all_finite(out, dim, exponent)) return;
  std::size_t column = 0;
  while ((load<std::uint16_t>(out, column) & exponent) != exponent) ++column;
  refuse_value(row, column, load<float>(floats, column), std::string("is beyond the range of ") + limit);
}

template <typename Integer>
void encode_integers(const void* floats, std::size_t dim, std::size_t row, const char* range, void* out) {
  if (floats_to_integers<Integer>(floats, dim, out)) return;
  check_finite(all_finite(floats, dim, kFloat32Exponent), row);
  std::size_t column = 0;
  while (load<Integer>(out, column) == load<float>(floats, column)) ++column;
  refuse_value(row, column, load<float>(floats, column), std::string("is not an integer in ") + range);
}

double squared_norm_half(void (*widen)(const void*, std::size_t, void*), const void* halves, std::size_t dim) {
  constexpr std::size_t kChunk = 512;
  float chunk[kChunk];
  double sum = 0.0;
  for (std::size_t begin = 0; begin < dim; begin += kChunk) {
    const std::size_t count = std::min(kChunk, dim - begin);
    widen(static_cast<const std::byte*>(halves) + begin * sizeof(std::uint16_t), count, chunk);
    sum += squared_norm_float32(chunk, count);
  }
  return sum;
}

double squared_norm(DType dtype, const void* elements, std::size_t dim) {
  switch (dtype) {
    case DType::kFloat32:
      return squared_norm_float32(elements, dim);
    case DType::kFloat16:
      return squared_norm_half(widen_float16, elements, dim);
    case DType::kBFloat16:
      return squared_norm_half(widen_bfloat16, elements, dim);
    case DType::kInt8:
      return squared_norm_integer<std::int8_t>(elements, dim);
    case DType::kUInt8:
      return squared_norm_integer<std::uint8_t>(elements, dim);
    case DType::kBinary:
      break;  // no cosine over bits
  }
  return 0.0;
}

}  // namespace

void check_view(const RowFormat& format, const MatrixView& view) {
  const bool converts = view.dtype == DType::kFloat32 && format.dtype != DType::kBinary;
  if (view.dtype != format.dtype && !converts) {
    const std::string accepted = format.dtype == DType::kBinary || format.dtype == DType::kFloat32 ? "" : "float32 or ";
    throw InvalidType(std::string("vectors are ") + name(view.dtype) + ", the index takes " + accepted +
                      name(format.dtype));
  }
  if (view.dim != format.dim) {
    throw InvalidArgument("vectors have " + std::to_string(view.dim) + " dimensions, the index has " +
                          std::to_string(format.dim));
  }
}

const void* view_row(const MatrixView& view, std::size_t row) {
  const RowFormat source{view.dim, Metric::kL2, view.dtype};
  return static_cast<const std::byte*>(view.data) + row * source.element_bytes();
}

void encode_elements(const RowFormat& format, const MatrixView& view, std::size_t row, std::size_t first, void* out) {
  const void* in = view_row(view, row);
  row += first;
  if (format.bytes) return encode_integers<std::uint8_t>(in, format.dim, row, "0..255", out);
  if (view.dtype == format.dtype) {
    check_elements(format, in, row);
    std::memcpy(out, in, format.element_bytes());
    return;
  }
  switch (format.dtype) {
    case DType::kFloat16:
      return encode_half<narrow_to_float16>(in, format.dim, row, kFloat16Exponent, "float16 (65504)", out);
    case DType::kBFloat16:
      return encode_half<narrow_to_bfloat16>(in, format.dim, row, kBFloat16Exponent, "bfloat16 (3.39e38)", out);
    case DType::kInt8:
      return encode_integers<std::int8_t>(in, format.dim, row, "-128..127, the range of int8", out);
    case DType::kUInt8:
      return encode_integers<std::uint8_t>(in, format.dim, row, "0..255, the range of uint8", out);
    case DType::kFloat32:
    case DType::kBinary:
      break;  // never converted to
  }
}

bool are_bytes(const MatrixView& view) {
  if (view.dtype != DType::kFloat32) return false;
  bool good = true;
  for (std::size_t row = 0; row < view.rows && good; ++row) good = are_bytes(view_row(view, row), view.dim);
  return good;
}

void check_elements(const RowFormat& format, const void* elements, std::size_t row) {
  switch (format.stored()) {
    case DType::kFloat32:
      return check_finite(all_finite(elements, format.dim, kFloat32Exponent), row);
    case DType::kFloat16:
      return check_finite(all_finite(elements, format.dim, kFloat16Exponent), row);
    case DType::kBFloat16:
      return check_finite(all_finite(elements, format.dim, kBFloat16Exponent), row);
    case DType::kInt8:
    case DType::kUInt8:
      return;
    case DType::kBinary:
      const unsigned unused = 0xFFU >> (format.dim % 8);
      if (format.dim % 8 != 0 && (load<std::uint8_t>(elements, format.dim / 8) & unused) != 0) {
        throw InvalidArgument(row_name(row) + " has bits set after its " + std::to_string(format.dim) + " dimensions");
      }
  }
}

float scale_of(const RowFormat& format, const void* elements, std::size_t row) {
  const double norm = std::sqrt(squared_norm(format.stored(), elements, format.dim));
  if (norm == 0.0) {
    throw InvalidArgument(row_name(row) + " is a zero vector" +
                          (format.dtype == DType::kFloat32 ? "" : std::string(" as ") + name(format.dtype)) +
                          ", which has no direction under cosine");
  }
  if (!(norm >= kMinNorm && norm <= kMaxNorm)) {
    throw InvalidArgument(row_name(row) + " has norm " + format_number(norm) + ", cosine takes " +
                          format_number(kMinNorm) + " to " + format_number(kMaxNorm));
  }
  return static_cast<float>(1.0 / norm);
}

}  // namespace hopspan::vectors
