#include "vectors/query.h"

#include <cstdint>
#include <cstring>

#include "vectors/convert.h"
#include "vectors/encode.h"

namespace hopspan::vectors {
namespace {

bool is_float(DType dtype) { return dtype == DType::kFloat32 || dtype == DType::kFloat16 || dtype == DType::kBFloat16; }

void widen(DType dtype, const void* elements, std::size_t dim, void* out) {
  switch (dtype) {
    case DType::kFloat16:
      return widen_float16(elements, dim, out);
    case DType::kBFloat16:
      return widen_bfloat16(elements, dim, out);
    default:
      std::memcpy(out, elements, dim * sizeof(float));
  }
}

// Moves a power of two from the scale into the elements, so that the query's norm is in (0.5, 1] and its dot product
// with any row stays in the range of float32. Both factors are exact: ordinary distances do not change by a bit.
void balance(void* query, std::size_t dim, float scale) {
  const auto bits = load<std::uint32_t>(&scale, 0);
  const std::uint32_t power_of_two = bits & kFloat32Exponent;
  const auto factor = load<float>(&power_of_two, 0);
  for (std::size_t i = 0; i < dim; ++i) store(query, i, load<float>(query, i) * factor);
  store(query, dim, (bits & ~kFloat32Exponent) | 0x3F800000U);  // the same fraction in [1, 2)
}

}  // namespace

std::size_t prepared_bytes(const RowFormat& format) {
  RowFormat prepared = format;
  if (is_float(format.dtype)) prepared.dtype = DType::kFloat32;
  return prepared.row_bytes();
}

void check_queries(const RowFormat& format, const MatrixView& view) {
  check_view(format, view);
  const bool converts = view.dtype != format.dtype;
  core::Buffer converted(converts ? format.element_bytes() : 0);
  for (std::size_t row = 0; row < view.rows; ++row) {
    const void* elements = converts ? converted.data() : view_row(view, row);
    if (converts) {
      encode_elements(format, view, row, 0, converted.data());
    } else {
      check_elements(format, elements, row);
    }
    if (format.metric == Metric::kCosine) scale_of(format, elements, row);
  }
}

void prepare_query(const RowFormat& format, const MatrixView& view, std::size_t row, void* out) {
  const bool scaled = format.metric == Metric::kCosine;
  if (is_float(format.dtype)) {
    widen(view.dtype, view_row(view, row), format.dim, out);
    if (scaled) balance(out, format.dim, scale_of({format.dim, format.metric, DType::kFloat32}, out, row));
  } else {
    encode_elements(format, view, row, 0, out);
    if (scaled) store(static_cast<std::byte*>(out) + format.element_bytes(), 0, scale_of(format, out, row));
  }
}

void prepare_stored(const Matrix& matrix, std::size_t slot, void* out) {
  const RowFormat& format = matrix.format();
  const std::byte* row = matrix.row(slot);
  if (!is_float(format.dtype)) {
    std::memcpy(out, row, format.row_bytes());
    return;
  }
  widen(format.dtype, row, format.dim, out);
  if (format.metric == Metric::kCosine) balance(out, format.dim, load<float>(row + format.element_bytes(), 0));
}

}  // namespace hopspan::vectors
