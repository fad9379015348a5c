#include "vectors/matrix.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>

#include "core/checked.h"
#include "hopspan/error.h"
#include "vectors/convert.h"
#include "vectors/elements.h"
#include "vectors/encode.h"
#include "vectors/names.h"

namespace hopspan::vectors {

std::size_t RowFormat::element_bytes() const {
  switch (stored()) {
    case DType::kFloat32:
      return dim * 4;
    case DType::kFloat16:
    case DType::kBFloat16:
      return dim * 2;
    case DType::kInt8:
    case DType::kUInt8:
      return dim;
    case DType::kBinary:
      break;
  }
  return (dim + 7) / 8;
}

std::size_t RowFormat::row_bytes() const { return element_bytes() + (metric == Metric::kCosine ? sizeof(float) : 0); }

void check_format(const RowFormat& format) {
  if (format.dim < 1 || format.dim > kMaxDim) {
    throw InvalidArgument("dim must be 1.." + std::to_string(kMaxDim) + ", not " + std::to_string(format.dim));
  }
  if (format.metric > Metric::kHamming) {
    throw InvalidArgument("unknown metric number " + std::to_string(static_cast<int>(format.metric)));
  }
  if (format.dtype > DType::kBinary) {
    throw InvalidArgument("unknown dtype number " + std::to_string(static_cast<int>(format.dtype)));
  }
  if (format.metric == Metric::kHamming && format.dtype != DType::kBinary) {
    throw InvalidArgument(std::string("metric hamming needs dtype binary, not ") + name(format.dtype));
  }
  if (format.dtype == DType::kBinary && format.metric != Metric::kHamming) {
    throw InvalidArgument(std::string("dtype binary needs metric hamming, not ") + name(format.metric));
  }
}

Matrix::Matrix(const RowFormat& format) : Matrix(format, {}) {}

Matrix::Matrix(const RowFormat& format, core::Array<std::byte> rows) : format_(format), stride_(format.row_bytes()) {
  check_format(format);
  if (rows.size() % stride_ != 0) {
    throw CorruptIndexError(std::to_string(rows.size()) + " bytes of vectors are not a multiple of the row size " +
                            std::to_string(stride_));
  }
  size_ = rows.size() / stride_;
  rows_ = std::move(rows);
}

void Matrix::append(const MatrixView& view, std::size_t first) {
  check_view(format_, view);
  if (view.rows == 0) return;
  const std::size_t new_size = core::checked_add(size_, view.rows);
  rows_.resize(core::checked_mul(new_size, stride_));
  std::byte* out = rows_.mutable_data() + size_ * stride_;
  try {
    for (std::size_t row = 0; row < view.rows; ++row, out += stride_) {
      encode_elements(format_, view, row, first, out);
      if (format_.metric == Metric::kCosine)
        store(out + format_.element_bytes(), 0, scale_of(format_, out, first + row));
    }
  } catch (...) {
    truncate(size_);
    throw;
  }
  size_ = new_size;
}

void Matrix::truncate(std::size_t size) {
  rows_.resize(size * stride_);
  size_ = size;
}

Matrix Matrix::write(const MatrixView& view, const std::vector<std::uint32_t>& slots) {
  check_view(format_, view);
  const std::size_t reused = static_cast<std::size_t>(
      std::lower_bound(slots.begin(), slots.end(), static_cast<std::uint32_t>(size_)) - slots.begin());
  Matrix aside(format_);
  aside.append({view.data, reused, view.dim, view.dtype});
  if (reused != 0) rows_.mutable_data();
  append({view_row(view, reused), view.rows - reused, view.dim, view.dtype}, reused);
  swap_rows(slots, aside);
  return aside;
}

void Matrix::undo_write(const std::vector<std::uint32_t>& slots, Matrix& replaced) noexcept {
  swap_rows(slots, replaced);
  truncate(size_ - (slots.size() - replaced.size()));
}

// Exchanges the rows at the first slots with all rows of `other`.
void Matrix::swap_rows(const std::vector<std::uint32_t>& slots, Matrix& other) noexcept {
  std::byte* const rows = rows_.mutable_data();
  std::byte* theirs = other.rows_.mutable_data();
  for (std::size_t i = 0; i < other.size(); ++i, theirs += stride_) {
    std::swap_ranges(theirs, theirs + stride_, rows + slots[i] * stride_);
  }
}

Matrix Matrix::pick(const std::vector<std::uint32_t>& slots) const {
  core::Array<std::byte> rows;
  rows.resize(core::checked_mul(slots.size(), stride_));
  std::byte* out = rows.mutable_data();
  for (const std::uint32_t slot : slots) {
    std::memcpy(out, row(slot), stride_);
    out += stride_;
  }
  return Matrix(format_, std::move(rows));
}

Matrix Matrix::widened() const {
  RowFormat format = format_;
  format.bytes = false;
  core::Array<std::byte> rows;
  rows.resize(core::checked_mul(size_, format.row_bytes()));
  std::byte* out = rows.mutable_data();
  for (std::size_t slot = 0; slot < size_; ++slot, out += format.row_bytes()) {
    copy_elements(slot, out);
    std::memcpy(out + format.element_bytes(), row(slot) + format_.element_bytes(), stride_ - format_.element_bytes());
  }
  return Matrix(format, std::move(rows));
}

Matrix Matrix::spilled() const {
  Matrix spilled(format_, rows_.copy_in(std::make_unique<storage::Spill>()));
  spilled.forget();
  return spilled;
}

void Matrix::read_from(std::shared_ptr<const storage::RandomAccessFile> file, std::uint64_t offset) {
  file_ = std::move(file);
  offset_ = offset;
}

void Matrix::forget() const noexcept {
  if (spill() != nullptr) {
    spill()->forget();
  } else if (on_disk()) {
    file_->forget(offset_, rows_.size());
  }
}

void Matrix::read(std::size_t slot, void* out, std::size_t n) const {
  if (spill() != nullptr) {
    spill()->read(slot * stride_, out, n);
  } else {
    file_->read(offset_ + slot * stride_, out, n);
  }
}

void Matrix::check() const {
  try {
    for (std::size_t slot = 0; slot < size_; ++slot) {
      check_elements(format_, row(slot), slot);
      if (format_.metric != Metric::kCosine) continue;
      const double expected = scale_of(format_, row(slot), slot);
      const double scale = load<float>(row(slot) + format_.element_bytes(), 0);
      if (!(std::abs(scale - expected) <= 1e-6 * expected)) {
        throw CorruptIndexError("row " + std::to_string(slot) + " has a scale that is not the reciprocal of its norm");
      }
    }
  } catch (const InvalidArgument& error) {
    throw CorruptIndexError(std::string("stored vectors: ") + error.what());
  }
}

void Matrix::copy_elements(std::size_t slot, void* out) const {
  if (on_disk() && !format_.bytes) {
    read(slot, out, format_.element_bytes());
  } else if (format_.bytes) {
    row_to_floats(format_, row(slot), static_cast<float*>(out));
  } else {
    std::memcpy(out, row(slot), format_.element_bytes());
  }
}

}  // namespace hopspan::vectors
