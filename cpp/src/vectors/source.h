// Where a build gets its vectors from: something that need not fit into memory and is read in ranges of rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "hopspan/matrix_view.h"
#include "storage/env.h"
#include "vectors/matrix.h"

namespace hopspan::vectors {

// Rows of one dtype. Any number of threads may read at once.
class Source {
 public:
  Source(std::size_t rows, std::size_t dim, DType dtype) : rows_(rows), format_{dim, Metric::kL2, dtype} {}
  virtual ~Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  std::size_t rows() const noexcept { return rows_; }
  std::size_t dim() const noexcept { return format_.dim; }
  DType dtype() const noexcept { return format_.dtype; }
  std::size_t row_bytes() const { return format_.row_bytes(); }

  // Rows [first, first + count), without gaps.
  virtual void read(std::size_t first, std::size_t count, void* out) const = 0;

 private:
  std::size_t rows_;
  RowFormat format_;
};

class ArraySource final : public Source {
 public:
  // The view's memory must outlive it.
  explicit ArraySource(const MatrixView& view) : Source(view.rows, view.dim, view.dtype), data_(view.data) {}

  void read(std::size_t first, std::size_t count, void* out) const override;

 private:
  const void* data_;
};

// A file of rows behind a header, read rather than mapped: pages that were read do not count as the process's, and an
// error of the device is an exception.
class FileSource final : public Source {
 public:
  // Throws InvalidArgument, with both sizes, when the file ends before its last row.
  FileSource(std::unique_ptr<storage::RandomAccessFile> file, std::uint64_t offset, std::size_t rows, std::size_t dim,
             DType dtype);

  void read(std::size_t first, std::size_t count, void* out) const override;

 private:
  std::unique_ptr<storage::RandomAccessFile> file_;
  std::uint64_t offset_;
};

// Makes `out` hold rows [first, first + count) as an index stores them. Throws as Matrix::append does, with the number
// of the row in the source.
void read_stored(const Source& source, std::size_t first, std::size_t count, Matrix& out);

}  // namespace hopspan::vectors
