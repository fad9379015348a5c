// Little-endian numbers in a run of bytes; reading never leaves the run, whatever the bytes say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace hopspan::storage {

#if defined(__BYTE_ORDER__) && defined(__ORDER_LITTLE_ENDIAN__)
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files are read and mapped as they are stored: little-endian");
#endif

// Reads from borrowed bytes. `what` names them in the CorruptIndexError that every method throws at their end.
class ByteReader {
 public:
  ByteReader(const void* data, std::size_t size, std::string what)
      : data_(static_cast<const std::byte*>(data)), size_(size), what_(std::move(what)) {}

  std::size_t offset() const noexcept { return offset_; }
  std::size_t remaining() const noexcept { return size_ - offset_; }

  std::uint8_t u8() { return value<std::uint8_t>(); }
  std::uint16_t u16() { return value<std::uint16_t>(); }
  std::uint32_t u32() { return value<std::uint32_t>(); }
  std::uint64_t u64() { return value<std::uint64_t>(); }
  std::int64_t i64() { return value<std::int64_t>(); }
  float f32() { return value<float>(); }
  double f64() { return value<double>(); }

  // A u64 that announces that many elements of at least `element_size` bytes each in the rest of the run.
  std::size_t count(std::size_t element_size);
  void bytes(void* out, std::size_t n) {
    const std::byte* from = take(n);
    if (n != 0) std::memcpy(out, from, n);
  }
  // Throws unless every byte was read.
  void finish() const;

 private:
  template <typename T>
  T value() {
    T out;
    std::memcpy(&out, take(sizeof(T)), sizeof(T));
    return out;
  }
  const std::byte* take(std::size_t n);

  const std::byte* data_;
  std::size_t size_;
  std::size_t offset_ = 0;
  std::string what_;
};

class ByteWriter {
 public:
  void u8(std::uint8_t v) { bytes(&v, sizeof v); }
  void u16(std::uint16_t v) { bytes(&v, sizeof v); }
  void u32(std::uint32_t v) { bytes(&v, sizeof v); }
  void u64(std::uint64_t v) { bytes(&v, sizeof v); }
  void i64(std::int64_t v) { bytes(&v, sizeof v); }
  void f32(float v) { bytes(&v, sizeof v); }
  void f64(double v) { bytes(&v, sizeof v); }
  void count(std::size_t n) { u64(n); }
  void bytes(const void* data, std::size_t n);

  const std::byte* data() const noexcept { return data_.data(); }
  std::size_t size() const noexcept { return data_.size(); }

 private:
  std::vector<std::byte> data_;
};

}  // namespace hopspan::storage
