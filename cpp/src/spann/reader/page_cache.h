// Checked pages that are kept within a budget of bytes; the one that was longest without use makes room, roughly.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "spann/pages/format.h"

namespace hopspan::spann::reader {

// Safe to use from any number of threads.
class PageCache {
 public:
  // Holds as many pages as fit the budget with what it takes to find them; below kLeastBytes, none.
  explicit PageCache(std::size_t bytes);

  static constexpr std::size_t kLeastBytes = 128 * 1024;

  bool enabled() const noexcept { return pages_per_shard_ != 0; }
  // Copies pages [first, end) to `out`; false when one of them is not here, and then `out` holds no meaning.
  bool copy(std::uint64_t first, std::uint64_t end, std::byte* out) const;
  void put(std::uint64_t page, const std::byte* data);
  std::size_t capacity_bytes() const noexcept;

 private:
  struct Slot {
    std::uint64_t page;
    bool used;  // since the hand came by
    std::byte data[pages::kPageBytes];
  };
  static constexpr std::size_t kShards = 16;
  static constexpr std::size_t kSlotBytes = sizeof(Slot) + 128;  // and its places in the table and the list

  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::uint64_t, std::size_t> places;
    std::vector<std::unique_ptr<Slot>> slots;
    std::size_t hand = 0;
  };

  std::size_t free_place(Shard& shard);

  std::size_t pages_per_shard_;
  std::unique_ptr<Shard[]> shards_;
};

}  // namespace hopspan::spann::reader
