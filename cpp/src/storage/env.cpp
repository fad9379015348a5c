#include "storage/env.h"

#include <cstring>

namespace hopspan::storage {

void throw_past_end(const RandomAccessFile& file, std::uint64_t offset, std::size_t n) {
  throw CorruptIndexError(file.name() + ": " + std::to_string(n) + " bytes at offset " + std::to_string(offset) +
                          " reach past its end at " + std::to_string(file.size()));
}

void MemoryFile::read(std::uint64_t offset, void* out, std::size_t n) const {
  if (offset > size_ || n > size_ - offset) throw_past_end(*this, offset, n);
  if (n != 0) std::memcpy(out, data_ + offset, n);
}

void MemoryWriter::append(const void* data, std::size_t n) {
  const std::byte* from = static_cast<const std::byte*>(data);
  out_->insert(out_->end(), from, from + n);
}

}  // namespace hopspan::storage
