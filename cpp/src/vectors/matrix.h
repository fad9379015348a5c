// The stored vectors: rows of one dtype in the layout of distance/kernels.h, owned or mapped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/array.h"
#include "hopspan/matrix_view.h"
#include "storage/env.h"
#include "storage/spill.h"

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

  // A matrix of these rows in a temporary file. Throws IoError.
  Matrix spilled() const;
  // The file that a mapped matrix lies in, from `offset` on, is to be read rather than its pages touched.
  void read_from(std::shared_ptr<const storage::RandomAccessFile> file, std::uint64_t offset);
  // Whether rows are to be read one by one rather than used at their address, which takes memory until it is forgotten.
  bool on_disk() const noexcept { return spill() != nullptr || (rows_.mapped() && file_ != nullptr); }
  void forget() const noexcept;
  // Whether rows are in a temporary file that no other process sees.
  bool writable_on_disk() const noexcept { return spill() != nullptr && !spill()->shared(); }
  // The first n bytes of a row, of a matrix on disk.
  void read(std::size_t slot, void* out, std::size_t n) const;

  // Throws CorruptIndexError naming the first row that append cannot have written.
  void check() const;

  // The slot's elements of format().dtype, without the scale.
  void copy_elements(std::size_t slot, void* out) const;

 private:
  void swap_rows(const std::vector<std::uint32_t>& slots, Matrix& other) noexcept;

  const storage::Spill* spill() const noexcept { return static_cast<const storage::Spill*>(rows_.elsewhere()); }

  RowFormat format_;
  std::size_t stride_;
  std::size_t size_ = 0;
  core::Array<std::byte> rows_;
  std::shared_ptr<const storage::RandomAccessFile> file_;
  std::uint64_t offset_ = 0;
};

}  // namespace hopspan::vectors
