// Which lists hold which vector.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "spann/build.h"

namespace hopspan::spann {

inline constexpr std::uint32_t kNowhere = 0xFFFFFFFFu;

// The lists of each slot: that of its first copy, then those of its replicas in ascending order, so that lists which
// were loaded change as others do; kNowhere behind them. Threads may read at once.
class Places {
 public:
  // What lists hold has been found good. most: lists of a slot that there must be room for.
  Places(const Lists& lists, const distance::ScanShape& shape, std::size_t slots, std::size_t most);

  std::size_t most() const noexcept { return most_; }
  std::size_t slots() const noexcept { return lists_.size() / most_; }
  const std::uint32_t* of(std::uint32_t slot) const noexcept { return &lists_[slot * most_]; }
  bool has(std::uint32_t slot) const noexcept { return slot < slots() && *of(slot) != kNowhere; }
  void put(std::uint32_t slot, const std::uint32_t* lists, std::size_t count) noexcept;
  void replace(std::uint32_t slot, std::uint32_t list, std::uint32_t by) noexcept;
  std::size_t bytes() const noexcept { return lists_.capacity() * sizeof(std::uint32_t); }
  // New slots are nowhere.
  void resize(std::size_t slots) { lists_.resize(slots * most_, kNowhere); }

  // How many first copies each list has.
  std::vector<std::uint32_t> firsts;

 private:
  std::size_t most_;
  std::vector<std::uint32_t> lists_;
};

}  // namespace hopspan::spann
