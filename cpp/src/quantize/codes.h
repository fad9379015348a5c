// The rows of codes that a walk compares in place of vectors: owned or mapped, with the kernel that compares them.
//
// A row of 8 bits is one byte a dimension: unsigned under l2, where the sum of squared differences is exact; signed
// under ip. A row of 4 bits has two dimensions in a byte, 0..15 each, and a query has finer steps than a row
// (distance/kernels.h). Rows are filled up with zeros to `stride` bytes, which add nothing.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/array.h"
#include "core/buffer.h"
#include "distance/kernels.h"
#include "hopspan/options.h"

namespace hopspan::quantize {

// metric: kL2 or kIp. Codes of normalised rows, under cosine, are compared by kL2.
struct CodeFormat {
  std::size_t dim;
  Metric metric;
  int bits;  // of a dimension: 8 or 4

  std::size_t stride() const;
  std::size_t query_bytes() const;  // of one prepared query
};

class Codes {
 public:
  explicit Codes(const CodeFormat& format);
  // Takes rows as stored. Throws CorruptIndexError unless they are `size` rows.
  Codes(const CodeFormat& format, core::Array<std::byte> rows, std::size_t size);

  const CodeFormat& format() const noexcept { return format_; }
  std::size_t size() const noexcept { return size_; }
  const std::byte* data() const noexcept { return rows_.data(); }
  const std::byte* row(std::size_t slot) const noexcept { return rows_.data() + slot * stride_; }
  const core::Array<std::byte>& rows() const noexcept { return rows_; }

  // How to compare: kernel().many(query, data(), stride(), slots, count, kernel_dim(), out).
  const distance::Kernel& kernel() const noexcept { return kernel_; }
  std::size_t stride() const noexcept { return stride_; }
  std::size_t kernel_dim() const noexcept { return format_.bits == 4 ? 2 * stride_ : stride_; }

  // A stored row as a prepared query; `room` holds it where the row itself does not serve.
  const void* as_query(std::size_t slot, core::Buffer& room) const;

  std::byte* mutable_row(std::size_t slot) { return rows_.mutable_data() + slot * stride_; }
  // New rows are zero. Shrinking an owned array never throws.
  void resize(std::size_t size);

 private:
  CodeFormat format_;
  std::size_t stride_;
  distance::Kernel kernel_;
  std::size_t size_ = 0;
  core::Array<std::byte> rows_;
};

}  // namespace hopspan::quantize
