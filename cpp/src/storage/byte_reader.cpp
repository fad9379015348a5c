#include "storage/byte_reader.h"

#include "hopspan/error.h"

namespace hopspan::storage {

const std::byte* ByteReader::take(std::size_t n) {
  if (n > remaining()) {
    throw CorruptIndexError(what_ + ": " + std::to_string(n) + " bytes at offset " + std::to_string(offset_) +
                            " reach past its end at " + std::to_string(size_));
  }
  const std::byte* from = data_ + offset_;
  offset_ += n;
  return from;
}

std::size_t ByteReader::count(std::size_t element_size) {
  const std::uint64_t announced = u64();
  if (announced > remaining() / element_size) {
    throw CorruptIndexError(what_ + ": " + std::to_string(announced) + " elements of " + std::to_string(element_size) +
                            " bytes announced, but " + std::to_string(remaining()) + " bytes follow");
  }
  return static_cast<std::size_t>(announced);
}

void ByteReader::finish() const {
  if (remaining() != 0) {
    throw CorruptIndexError(what_ + ": " + std::to_string(remaining()) + " bytes too many at offset " +
                            std::to_string(offset_));
  }
}

void ByteWriter::bytes(const void* data, std::size_t n) {
  const std::byte* from = static_cast<const std::byte*>(data);
  data_.insert(data_.end(), from, from + n);
}

}  // namespace hopspan::storage
