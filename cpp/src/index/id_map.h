// The external ids of the slots. While id == slot holds for every slot nothing is stored; otherwise a list of ids in
// slot order and, once an id is looked up, an open-addressing hash table over it. Ids are distinct and never negative.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "core/array.h"

namespace hopspan::index {

class IdMap {
 public:
  IdMap() = default;
  // As saved: an identity map of `size` ids, or explicit ids of which the largest is next_id - 1.
  explicit IdMap(std::size_t size) : size_(size), next_id_(size) {}
  IdMap(core::Array<std::int64_t> ids, std::uint64_t next_id);

  std::size_t size() const noexcept { return size_; }
  bool identity() const noexcept { return identity_; }
  // One more than the largest id.
  std::uint64_t next_id() const noexcept { return next_id_; }
  // Empty in an identity map.
  const core::Array<std::int64_t>& ids() const noexcept { return ids_; }

  std::int64_t id(std::uint32_t slot) const noexcept { return identity_ ? std::int64_t{slot} : ids_[slot]; }
  std::optional<std::uint32_t> find(std::int64_t id) const;

  // Gives ids to `count` new slots; null ids mean the next free ones. Throws InvalidArgument naming the row of a
  // negative, known or repeated id, and changes nothing when it throws.
  void append(const std::int64_t* ids, std::size_t count);
  // Undoes the latest append.
  void undo_append() noexcept;

  // Throws CorruptIndexError unless the ids are distinct, not negative, and below next_id.
  void check() const;
  std::size_t bytes() const;

 private:
  // Slots by the hash of their id: linear probing, a power of two of entries, at most 3/4 of them taken.
  class Table {
   public:
    bool empty() const noexcept { return entries_.empty(); }
    void clear() noexcept { std::vector<std::uint32_t>().swap(entries_); }
    std::size_t bytes() const noexcept { return entries_.capacity() * sizeof(std::uint32_t); }
    void rebuild(const std::int64_t* ids, std::size_t size, std::size_t capacity);
    bool fits(std::size_t size) const noexcept { return size <= entries_.size() / 4 * 3; }
    std::uint32_t find(const std::int64_t* ids, std::int64_t id) const noexcept;
    // Enters the slot unless its id is there already; returns the slot that has the id.
    std::uint32_t insert(const std::int64_t* ids, std::uint32_t slot) noexcept;
    // The slot must be the latest that was inserted.
    void erase_latest(const std::int64_t* ids, std::uint32_t slot) noexcept;

   private:
    std::size_t position(const std::int64_t* ids, std::int64_t id) const noexcept;

    std::vector<std::uint32_t> entries_;
    int shift_ = 64;
  };

  struct Undo {
    std::size_t size = 0;
    std::uint64_t next_id = 0;
    bool identity = true;
  };

  bool continues_identity(const std::int64_t* ids, std::size_t count) const noexcept;
  void append_explicit(const std::int64_t* ids, std::size_t count);
  void enter(std::size_t first, std::size_t count);
  void ensure_table() const;

  std::size_t size_ = 0;
  std::uint64_t next_id_ = 0;
  bool identity_ = true;
  core::Array<std::int64_t> ids_;
  Undo undo_;
  mutable Table table_;
  mutable std::atomic<bool> table_ready_{false};
  mutable std::mutex table_mutex_;
};

}  // namespace hopspan::index
