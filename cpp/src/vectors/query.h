// Queries made ready for the kernels: checked, widened, and with their scale appended.
#pragma once

#include <cstddef>

#include "core/buffer.h"
#include "distance/kernels.h"
#include "vectors/matrix.h"

namespace hopspan::vectors {

// What compares prepared queries with rows.
const distance::Kernel& kernel_of(const RowFormat& format);
inline const distance::Kernel& kernel_of(Metric metric, DType dtype) { return kernel_of(RowFormat{1, metric, dtype}); }

// Bytes of one prepared query (distance/kernels.h).
std::size_t prepared_bytes(const RowFormat& format);

// Throws what Matrix::append would throw, before any search starts. view: float32 or the stored dtype.
void check_queries(const RowFormat& format, const MatrixView& view);

// out: prepared_bytes(). The view must have passed check_queries.
void prepare_query(const RowFormat& format, const MatrixView& view, std::size_t row, void* out);

// Makes a prepared query of a stored row.
void prepare_stored(const Matrix& matrix, std::size_t slot, void* out);

}  // namespace hopspan::vectors
