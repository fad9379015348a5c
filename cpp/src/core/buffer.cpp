// Invariant: the bytes from size() to capacity() are zero, so growing within the capacity writes nothing.
#include "core/buffer.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif
#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace hopspan::core {
namespace {

constexpr std::align_val_t kAlignment{64};
constexpr std::size_t kLargest = PTRDIFF_MAX / 2;

std::byte* allocate_small(std::size_t bytes) {
  void* block = ::operator new(bytes, kAlignment);
  return static_cast<std::byte*>(std::memset(block, 0, bytes));
}

void free_small(std::byte* block) noexcept { ::operator delete(block, kAlignment); }

#if defined(__linux__)

constexpr std::size_t kHugePage = std::size_t{2} << 20;

bool is_large(std::size_t bytes) { return bytes >= std::size_t{1} << 20; }

// A multiple of every page size that Linux has on our targets.
std::size_t mapped_bytes(std::size_t bytes) {
  const std::size_t unit = std::size_t{64} << 10;
  return (bytes + unit - 1) / unit * unit;
}

// A mapping that starts on a huge page's boundary. Only huge pages that lie wholly inside it become huge, so the end
// of the mapping takes no more memory than what is written to it.
std::byte* allocate_large(std::size_t bytes) {
  const std::size_t wanted = mapped_bytes(bytes);
  const std::size_t reserved = wanted + kHugePage;
  void* block = mmap(nullptr, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED) throw std::bad_alloc();
  auto* begin = static_cast<std::byte*>(block);
  const std::size_t head = (kHugePage - reinterpret_cast<std::uintptr_t>(begin) % kHugePage) % kHugePage;
  if (head != 0) munmap(begin, head);
  munmap(begin + head + wanted, reserved - head - wanted);
  madvise(begin + head, wanted, MADV_HUGEPAGE);
  return begin + head;
}

void free_large(std::byte* block, std::size_t bytes) noexcept { munmap(block, mapped_bytes(bytes)); }

// Moves page tables in place of bytes; between two aligned addresses huge pages stay huge.
std::byte* grow_large(std::byte* block, std::size_t old_bytes, std::size_t bytes) {
  const std::size_t old_mapped = mapped_bytes(old_bytes);
  const std::size_t wanted = mapped_bytes(bytes);
  if (mremap(block, old_mapped, wanted, 0) != MAP_FAILED) return block;
  std::byte* target = allocate_large(bytes);
  // A failure may already have unmapped the target and another thread may have mapped it since: leave it alone.
  if (mremap(block, old_mapped, wanted, MREMAP_MAYMOVE | MREMAP_FIXED, target) == MAP_FAILED) throw std::bad_alloc();
  return target;
}

#else

bool is_large(std::size_t) { return false; }
std::byte* allocate_large(std::size_t bytes) { return allocate_small(bytes); }
void free_large(std::byte* block, std::size_t) noexcept { free_small(block); }
std::byte* grow_large(std::byte*, std::size_t, std::size_t) { throw std::bad_alloc(); }

#endif

}  // namespace

void release_freed() noexcept {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

Buffer::~Buffer() {
  if (elsewhere_ != nullptr) return;
  if (is_large(capacity_)) {
    free_large(data_, capacity_);
  } else {
    free_small(data_);
  }
}

void Buffer::reserve(std::size_t bytes) {
  if (bytes <= capacity_) return;
  if (bytes > kLargest) throw std::bad_alloc();
  if (elsewhere_ != nullptr) {
    data_ = elsewhere_->resize(bytes);
    capacity_ = bytes;
    return;
  }
  if (is_large(capacity_)) {
    data_ = grow_large(data_, capacity_, bytes);
    capacity_ = bytes;
    return;
  }
  Buffer grown;
  grown.data_ = is_large(bytes) ? allocate_large(bytes) : allocate_small(bytes);
  grown.capacity_ = bytes;
  grown.size_ = size_;
  if (size_ != 0) std::memcpy(grown.data_, data_, size_);
  swap(grown);
}

void Buffer::move_to(std::unique_ptr<Memory> memory) {
  Buffer moved;
  moved.elsewhere_ = std::move(memory);
  moved.reserve(std::max<std::size_t>(1, size_));
  moved.size_ = size_;
  if (size_ != 0) std::memcpy(moved.data_, data_, size_);
  swap(moved);
}

void Buffer::resize(std::size_t bytes) {
  if (bytes > capacity_) reserve(std::max(bytes, capacity_ + capacity_ / 2));
  if (bytes < size_) std::memset(data_ + bytes, 0, size_ - bytes);
  size_ = bytes;
}

}  // namespace hopspan::core
