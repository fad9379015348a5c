#include "spann/reader/page_cache.h"

#include <cstring>

namespace hopspan::spann::reader {

PageCache::PageCache(std::size_t bytes)
    : pages_per_shard_(bytes < kLeastBytes ? 0 : bytes / kShards / kSlotBytes),
      shards_(pages_per_shard_ == 0 ? nullptr : new Shard[kShards]) {}

bool PageCache::copy(std::uint64_t first, std::uint64_t end, std::byte* out) const {
  if (!enabled()) return false;
  for (std::uint64_t page = first; page < end; ++page, out += pages::kPageBytes) {
    Shard& shard = shards_[page % kShards];
    const std::lock_guard<std::mutex> lock(shard.mutex);
    const auto found = shard.places.find(page);
    if (found == shard.places.end()) return false;
    Slot& slot = *shard.slots[found->second];
    slot.used = true;
    std::memcpy(out, slot.data, pages::kPageBytes);
  }
  return true;
}

void PageCache::put(std::uint64_t page, const std::byte* data) {
  if (!enabled()) return;
  Shard& shard = shards_[page % kShards];
  const std::lock_guard<std::mutex> lock(shard.mutex);
  if (shard.places.count(page) != 0) return;
  const std::size_t place = free_place(shard);
  Slot& slot = *shard.slots[place];
  shard.places.emplace(page, place);
  slot.page = page;
  slot.used = false;
  std::memcpy(slot.data, data, pages::kPageBytes);
}

// The slot's page, if it has one, is forgotten.
std::size_t PageCache::free_place(Shard& shard) {
  if (shard.slots.size() < pages_per_shard_) {
    shard.slots.push_back(std::unique_ptr<Slot>(new Slot));
    return shard.slots.size() - 1;
  }
  for (;; shard.hand = (shard.hand + 1) % shard.slots.size()) {
    Slot& slot = *shard.slots[shard.hand];
    if (!std::exchange(slot.used, false)) break;
  }
  const std::size_t place = shard.hand;
  shard.hand = (shard.hand + 1) % shard.slots.size();
  shard.places.erase(shard.slots[place]->page);
  return place;
}

std::size_t PageCache::capacity_bytes() const noexcept { return kShards * pages_per_shard_ * kSlotBytes; }

}  // namespace hopspan::spann::reader
