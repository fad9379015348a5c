// The stored vectors: rows of one dtype in the layout of distance/kernels.h, owned or mapped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/array.h"
#include "hopspan/matrix_view.h"

namespace hopspan::vectors {

// What a stored row is made of.
struct RowFormat {
  std::size_t dim;
  Metric metric;
  DType dtype;
  bool bytes = false;  // float32 elements that are whole numbers 0..255, each in a byte

  DType stored() const noexcept { return bytes ? DType::kUInt8 : dtype; }
  std::size_t element_bytes() const;  // of the dim elements, without the scale
  std::size_t row_bytes() const;      // with the scale that cosine appends
};

// Throws InvalidArgument or InvalidType unless dim, metric and dtype go together.
void check_format(const RowFormat& format);

class Matrix {
 public:
  explicit Matrix(const RowFormat& format);
  // Takes rows as stored. Throws CorruptIndexError unless rows.size() is a multiple of row_bytes().
  Matrix(const RowFormat& format, core::Array<std::byte> rows);

  const RowFormat& format() const noexcept { return format_; }
  std::size_t size() const noexcept { return size_; }
  std::size_t stride() const noexcept { return stride_; }
  const std::byte* data() const noexcept { return rows_.data(); }
  const std::byte* row(std::size_t slot) const noexcept { return rows_.data() + slot * stride_; }
  const core::Array<std::byte>& rows() const noexcept { return rows_; }

  // Checks, converts and appends every row of `view` (float32 or the format's dtype). Throws InvalidArgument naming the
  // first row with NaN, Inf, a zero vector under cosine, or stray bits after `dim`; and then nothing is appended.
  // The view's rows are numbered from `first` on.
  void append(const MatrixView& view, std::size_t first = 0);
  void truncate(std::size_t size);

  // Writes the rows of `view` to `slots`, which ascend and of which those beyond size() follow it, and returns the rows
  // that were replaced. Throws as append, and then nothing has changed.
  Matrix write(const MatrixView& view, const std::vector<std::uint32_t>& slots);
  // replaced: what the latest write, to these slots, returned.
  void undo_write(const std::vector<std::uint32_t>& slots, Matrix& replaced) noexcept;
  // A matrix of these rows.
  Matrix pick(const std::vector<std::uint32_t>& slots) const;
  // A matrix of these rows, of which format().bytes is false.
  Matrix widened() const;

  // Throws CorruptIndexError naming the first row that append cannot have written.
  void check() const;

  // The slot's elements of format().dtype, without the scale.
  void copy_elements(std::size_t slot, void* out) const;

 private:
  void swap_rows(const std::vector<std::uint32_t>& slots, Matrix& other) noexcept;

  RowFormat format_;
  std::size_t stride_;
  std::size_t size_ = 0;
  core::Array<std::byte> rows_;
};

}  // namespace hopspan::vectors
