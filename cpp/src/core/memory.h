// Where a buffer's bytes lie when that is not ordinary memory.
#pragma once

#include <cstddef>

namespace hopspan::core {

class Memory {
 public:
  Memory() = default;
  virtual ~Memory() = default;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  // Makes room for so many bytes, perhaps at another address; those that were there stay, new ones are zero. When it
  // throws, nothing has changed.
  virtual std::byte* resize(std::size_t bytes) = 0;
};

}  // namespace hopspan::core
