// Bytes in a temporary file without a name, for what a process need not hold in memory. They can be used at their
// address as any others, and be read without taking pages of memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/memory.h"

namespace hopspan::storage {

class Spill final : public core::Memory {
 public:
  // In the folder that the environment variable TMPDIR names, or else in /var/tmp. Throws IoError.
  Spill();
  ~Spill() override;

  // False where the system has no such files; then none can be made.
  static bool available() noexcept;

  // Throws IoError when there is no room.
  std::byte* resize(std::size_t bytes) override;

  void read(std::size_t offset, void* out, std::size_t n) const;

  // Lets go of the pages that its address has taken; the file keeps them.
  void forget() const noexcept;

  // Whether a process that was forked since may have the same file: writing here would show there.
  bool shared() const noexcept;

 private:
  std::string name_;
  int file_ = -1;
  std::byte* bytes_ = nullptr;
  std::size_t mapped_ = 0;
  std::uint64_t forks_;
};

}  // namespace hopspan::storage
