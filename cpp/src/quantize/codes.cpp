#include "quantize/codes.h"

#include <string>
#include <utility>

#include "core/checked.h"
#include "hopspan/error.h"
#include "quantize/nibbles.h"
#include "vectors/query.h"

namespace hopspan::quantize {
namespace {

constexpr std::size_t kLine = 64;
constexpr std::size_t kVector = 16;

std::size_t round_up(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }

distance::Kernel kernel_of(const CodeFormat& format) {
  const bool is_ip = format.metric == Metric::kIp;
  if (format.bits == 4) return distance::kernels().codes4[is_ip ? 1 : 0];
  return vectors::kernel_of(format.metric, is_ip ? DType::kInt8 : DType::kUInt8);
}

}  // namespace

// Whole cache lines, so that no row lies in one more line than it must, when that costs at most 30% of memory.
std::size_t CodeFormat::stride() const {
  const std::size_t bytes = bits == 4 ? (dim + 1) / 2 : dim;
  const std::size_t lines = round_up(bytes, kLine);
  return lines * 10 <= bytes * 13 ? lines : round_up(bytes, kVector);
}

std::size_t CodeFormat::query_bytes() const { return bits == 4 ? nibble_query_bytes(stride()) : stride(); }

Codes::Codes(const CodeFormat& format) : format_(format), stride_(format.stride()), kernel_(kernel_of(format)) {}

Codes::Codes(const CodeFormat& format, core::Array<std::byte> rows, std::size_t size) : Codes(format) {
  if (rows.size() % stride_ != 0 || rows.size() / stride_ != size) {
    throw CorruptIndexError(std::to_string(rows.size()) + " bytes of codes are not " + std::to_string(size) +
                            " rows of " + std::to_string(stride_) + " bytes");
  }
  size_ = size;
  rows_ = std::move(rows);
}

const void* Codes::as_query(std::size_t slot, core::Buffer& room) const {
  if (format_.bits == 8) return row(slot);
  room.resize(format_.query_bytes());
  nibbles_as_query(format_.metric, row(slot), stride_, room.data());
  return room.data();
}

void Codes::resize(std::size_t size) {
  rows_.resize(core::checked_mul(size, stride_));
  size_ = size;
}

}  // namespace hopspan::quantize
