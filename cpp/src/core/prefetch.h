// Asks for memory ahead of its use.
#pragma once

#include <cstddef>

#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
#endif

namespace hopspan::core {

inline void prefetch_line(const void* address) {
#if defined(_MSC_VER) && !defined(__clang__)
#if defined(_M_X64)
  _mm_prefetch(static_cast<const char*>(address), _MM_HINT_T0);
#else
  __prefetch(address);
#endif
#else
  __builtin_prefetch(address);
#endif
}

// Every cache line of `bytes` bytes from `address`.
inline void prefetch(const void* address, std::size_t bytes) {
  const char* first = static_cast<const char*>(address);
  for (std::size_t offset = 0; offset < bytes; offset += 64) prefetch_line(first + offset);
}

}  // namespace hopspan::core
