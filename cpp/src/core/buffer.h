// Owns a growable run of bytes, 64-byte aligned, on huge pages once it is large. New bytes are zero.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "core/memory.h"

namespace hopspan::core {

class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t bytes) { resize(bytes); }
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Buffer();

  std::byte* data() noexcept { return data_; }
  const std::byte* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  std::size_t capacity() const noexcept { return capacity_; }

  // Throws std::bad_alloc and changes nothing when memory is not to be had.
  void reserve(std::size_t bytes);
  void resize(std::size_t bytes);

  // Moves the bytes to this memory, where they grow from then on. When it throws, nothing has changed.
  void move_to(std::unique_ptr<Memory> memory);
  const Memory* elsewhere() const noexcept { return elsewhere_.get(); }  // null: in ordinary memory

 private:
  void swap(Buffer& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    elsewhere_.swap(other.elsewhere_);
  }

  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::unique_ptr<Memory> elsewhere_;
};

// Gives the system back what has been freed in small pieces, where the allocator would keep it. For the end of work
// that has taken much: it looks at all of it.
void release_freed() noexcept;

}  // namespace hopspan::core
