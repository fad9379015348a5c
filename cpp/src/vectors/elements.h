// Stored rows and prepared queries as float32 values, which hold every stored dtype's values exactly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "vectors/convert.h"
#include "vectors/matrix.h"

namespace hopspan::vectors {

template <typename Integer>
void integers_to_floats(const void* from, std::size_t count, float* out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<float>(static_cast<const Integer*>(from)[i]);
}

inline void to_floats(DType dtype, const void* from, std::size_t count, float* out) {
  switch (dtype) {
    case DType::kFloat32:
      std::memcpy(out, from, count * sizeof(float));
      return;
    case DType::kFloat16:
      return widen_float16(from, count, out);
    case DType::kBFloat16:
      return widen_bfloat16(from, count, out);
    case DType::kInt8:
      return integers_to_floats<std::int8_t>(from, count, out);
    case DType::kUInt8:
      return integers_to_floats<std::uint8_t>(from, count, out);
    case DType::kBinary:
      return;
  }
}

inline void row_to_floats(const RowFormat& format, const void* row, float* out) {
  to_floats(format.stored(), row, format.dim, out);
}

// The element type of a prepared query.
inline DType query_dtype(const RowFormat& format) {
  const bool half = format.dtype == DType::kFloat16 || format.dtype == DType::kBFloat16;
  return half ? DType::kFloat32 : format.dtype;
}

inline void query_to_floats(const RowFormat& format, const void* query, float* out) {
  to_floats(query_dtype(format), query, format.dim, out);
}

// What cosine appends to a row: the reciprocal of its norm.
inline float row_scale(const RowFormat& format, const void* row) {
  float scale;
  std::memcpy(&scale, static_cast<const std::byte*>(row) + format.element_bytes(), sizeof scale);
  return scale;
}

}  // namespace hopspan::vectors
