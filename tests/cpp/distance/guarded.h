// Bytes that end right before a page that must not be touched; on systems without mmap, just bytes.
#pragma once

#include <cstddef>
#include <cstring>
#include <new>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/mman.h>
#include <unistd.h>
#define HOPSPAN_GUARD_PAGES
#endif

namespace hopspan::test {

class Guarded {
 public:
  explicit Guarded(std::size_t capacity) {
#ifdef HOPSPAN_GUARD_PAGES
    const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    size_ = (capacity + page - 1) / page * page;
    mapped_ = size_ + page;
    void* const memory = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    data_ = static_cast<unsigned char*>(memory);
    if (mprotect(data_ + size_, page, PROT_NONE) != 0) throw std::bad_alloc();
#else
    bytes_.resize(capacity);
    data_ = bytes_.data();
    size_ = capacity;
#endif
  }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;
#ifdef HOPSPAN_GUARD_PAGES
  ~Guarded() { munmap(data_, mapped_); }
#endif

  // A copy of the bytes whose end is `gap` bytes away from the guard page.
  unsigned char* place(const std::vector<unsigned char>& bytes, std::size_t gap) {
    unsigned char* const start = data_ + size_ - gap - bytes.size();
    if (!bytes.empty()) std::memcpy(start, bytes.data(), bytes.size());
    return start;
  }

 private:
  unsigned char* data_ = nullptr;
  std::size_t size_ = 0;
#ifdef HOPSPAN_GUARD_PAGES
  std::size_t mapped_ = 0;
#else
  std::vector<unsigned char> bytes_;
#endif
};

}  // namespace hopspan::test
