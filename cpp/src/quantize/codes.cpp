#include "quantize/codes.h"

#include <string>
#include <utility>

#include "core/checked.h"
#include "hopspan/error.h"
#include "vectors/elements.h"

namespace hopspan::quantize {
namespace {

constexpr std::size_t kLine = 64;
constexpr std::size_t kVector = 16;

std::size_t round_up(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }

DType dtype_of(const CodeFormat& format) { return format.metric == Metric::kIp ? DType::kInt8 : DType::kUInt8; }

distance::Kernel kernel_of(const CodeFormat& format) {
  return distance::kernels().kernels[static_cast<int>(format.metric)][static_cast<int>(dtype_of(format))];
}

}  // namespace

// Whole cache lines, so that no row lies in one more line than it must, when that costs at most 30% of memory.
std::size_t CodeFormat::stride() const {
  const std::size_t lines = round_up(dim, kLine);
  return lines * 10 <= dim * 13 ? lines : round_up(dim, kVector);
}

std::size_t CodeFormat::query_bytes() const { return stride(); }

Codes::Codes(const CodeFormat& format) : format_(format), stride_(format.stride()), kernel_(kernel_of(format)) {}

Codes::Codes(const CodeFormat& format, core::Array<std::byte> rows, std::size_t size) : Codes(format) {
  if (rows.size() % stride_ != 0 || rows.size() / stride_ != size) {
    throw CorruptIndexError(std::to_string(rows.size()) + " bytes of codes are not " + std::to_string(size) +
                            " rows of " + std::to_string(stride_) + " bytes");
  }
  size_ = size;
  rows_ = std::move(rows);
}

const void* Codes::as_query(std::size_t slot, core::Buffer&) const { return row(slot); }

void Codes::to_floats(std::size_t slot, float* out) const {
  vectors::to_floats(dtype_of(format_), row(slot), kernel_dim(), out);
}

void Codes::resize(std::size_t size) {
  rows_.resize(core::checked_mul(size, stride_));
  size_ = size;
}

}  // namespace hopspan::quantize
