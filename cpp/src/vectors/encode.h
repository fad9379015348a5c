// What makes a row valid: every row that enters the library passes here, as a vector or as a query.
#pragma once

#include <cstddef>

#include "hopspan/matrix_view.h"
#include "vectors/matrix.h"

namespace hopspan::vectors {

// Throws InvalidType unless the view's dtype is float32 or the stored one, InvalidArgument unless its dim is the
// format's.
void check_view(const RowFormat& format, const MatrixView& view);

// The first byte of a row of the view.
const void* view_row(const MatrixView& view, std::size_t row);

// Writes element_bytes() of the row in the stored dtype; the view's rows are numbered from `first` on. Throws
// InvalidArgument naming the row for NaN, Inf, a value that the stored dtype cannot hold, or bits after `dim`.
void encode_elements(const RowFormat& format, const MatrixView& view, std::size_t row, std::size_t first, void* out);

// Whether all rows of the view are float32 elements that are whole numbers 0..255, and no zero is a negative one.
bool are_bytes(const MatrixView& view);

// The same checks on elements that are in the stored dtype already.
void check_elements(const RowFormat& format, const void* elements, std::size_t row);

// The reciprocal norm of stored elements. Throws InvalidArgument naming the row for a zero vector, and for a norm so
// small or large that it or its reciprocal leaves the range of float32.
float scale_of(const RowFormat& format, const void* elements, std::size_t row);

}  // namespace hopspan::vectors
