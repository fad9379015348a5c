// A typed run of elements that is either owned or a borrowed view of a mapped file; writing turns a view into a copy.
#pragma once

#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>

#include "core/buffer.h"
#include "core/checked.h"

namespace hopspan::core {

template <typename T>
class Array {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Array() = default;
  Array(Array&& other) noexcept { swap(other); }
  Array& operator=(Array&& other) noexcept {
    swap(other);
    return *this;
  }

  static Array view(const T* data, std::size_t size, std::shared_ptr<const void> owner) {
    Array array;
    array.view_ = data;
    array.size_ = size;
    array.owner_ = std::move(owner);
    return array;
  }

  const T* data() const noexcept { return view_; }
  const T& operator[](std::size_t i) const noexcept { return view_[i]; }
  std::size_t size() const noexcept { return size_; }
  bool mapped() const noexcept { return owner_ != nullptr; }
  std::size_t capacity_bytes() const noexcept { return mapped() ? size_ * sizeof(T) : buffer_.capacity(); }

  // The elements for writing. Threads may call it at once when the array is owned.
  T* mutable_data() {
    if (mapped()) own(size_);
    return reinterpret_cast<T*>(buffer_.data());
  }

  void reserve(std::size_t size) { own(size); }

  // A copy of them, in this memory.
  Array copy_in(std::unique_ptr<Memory> memory) const {
    Array copy;
    copy.buffer_.move_to(std::move(memory));
    copy.resize(size_);
    if (size_ != 0) std::memcpy(copy.mutable_data(), view_, size_ * sizeof(T));
    return copy;
  }
  const Memory* elsewhere() const noexcept { return mapped() ? nullptr : buffer_.elsewhere(); }

  // New elements are zero; room grows geometrically. Shrinking an owned array never throws.
  void resize(std::size_t size) {
    if (mapped()) own(size);
    buffer_.resize(checked_mul(size, sizeof(T)));
    view_ = reinterpret_cast<const T*>(buffer_.data());
    size_ = size;
  }

 private:
  void swap(Array& other) noexcept {
    std::swap(buffer_, other.buffer_);
    std::swap(view_, other.view_);
    std::swap(size_, other.size_);
    owner_.swap(other.owner_);
  }

  void own(std::size_t capacity) {
    const std::size_t bytes = checked_mul(capacity, sizeof(T));
    if (mapped()) {
      Buffer copy;
      copy.reserve(bytes < size_ * sizeof(T) ? size_ * sizeof(T) : bytes);
      copy.resize(size_ * sizeof(T));
      if (size_ != 0) std::memcpy(copy.data(), view_, size_ * sizeof(T));
      buffer_ = std::move(copy);
      owner_.reset();
    } else {
      buffer_.reserve(bytes);
    }
    view_ = reinterpret_cast<const T*>(buffer_.data());
  }

  Buffer buffer_;
  const T* view_ = nullptr;
  std::size_t size_ = 0;
  std::shared_ptr<const void> owner_;
};

}  // namespace hopspan::core
