#include "vectors/query.h"

#include <cstdint>
#include <cstring>

#include "vectors/convert.h"
#include "vectors/elements.h"
#include "vectors/encode.h"

namespace hopspan::vectors {
namespace {

bool is_float(const RowFormat& format) { return query_dtype(format) == DType::kFloat32; }

// As the elements of queries come.
RowFormat asked(RowFormat format) {
  format.bytes = false;
  return format;
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

const distance::Kernel& kernel_of(const RowFormat& format) {
  const distance::KernelTable& table = distance::kernels();
  const auto metric = static_cast<std::size_t>(format.metric);
  return format.bytes ? table.float_bytes[metric] : table.kernels[metric][static_cast<std::size_t>(format.dtype)];
}

std::size_t prepared_bytes(const RowFormat& format) {
  return RowFormat{format.dim, format.metric, query_dtype(format)}.row_bytes();
}

void check_queries(const RowFormat& rows, const MatrixView& view) {
  const RowFormat format = asked(rows);
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
  if (is_float(format)) {
    to_floats(view.dtype, view_row(view, row), format.dim, static_cast<float*>(out));
    if (scaled) balance(out, format.dim, scale_of({format.dim, format.metric, DType::kFloat32}, out, row));
  } else {
    encode_elements(format, view, row, 0, out);
    if (scaled) store(static_cast<std::byte*>(out) + format.element_bytes(), 0, scale_of(format, out, row));
  }
}

void prepare_stored(const Matrix& matrix, std::size_t slot, void* out) {
  const RowFormat& format = matrix.format();
  const std::byte* row = matrix.row(slot);
  if (!is_float(format)) {
    std::memcpy(out, row, format.row_bytes());
    return;
  }
  row_to_floats(format, row, static_cast<float*>(out));
  if (format.metric == Metric::kCosine) balance(out, format.dim, load<float>(row + format.element_bytes(), 0));
}

}  // namespace hopspan::vectors
