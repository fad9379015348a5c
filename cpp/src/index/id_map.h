// The external ids of the slots. While id == slot holds for every slot nothing is stored; otherwise a list of ids in
// slot order, with kNoId where a slot has none, and, once an id is looked up, an open-addressing hash table over it.
// Ids are distinct and never negative.
//
// A change is made in two steps: the first one may throw and changes nothing that can be seen, the second one cannot.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "core/array.h"

namespace hopspan::index {

inline constexpr std::int64_t kNoId = -1;

class IdMap {
 public:
  using Slots = std::vector<std::uint32_t>;  // ascending

  IdMap() = default;
  // As saved: an identity map of `size` ids, or explicit ids, `live` of them or all, that are below next_id.
  explicit IdMap(std::size_t size) : size_(size), live_(size), next_id_(size) {}
  IdMap(core::Array<std::int64_t> ids, std::uint64_t next_id);
  IdMap(core::Array<std::int64_t> ids, std::size_t live, std::uint64_t next_id);

  std::size_t size() const noexcept { return size_; }  // slots
  std::size_t live() const noexcept { return live_; }  // of them with an id
  bool identity() const noexcept { return identity_; }
  // Above every id that there has ever been.
  std::uint64_t next_id() const noexcept { return next_id_; }
  // Of size() slots; empty in an identity map.
  const core::Array<std::int64_t>& ids() const noexcept { return ids_; }

  std::int64_t id(std::uint32_t slot) const noexcept {
    if (slot >= size_) return kNoId;
    return identity_ ? std::int64_t{slot} : ids_[slot];
  }
  std::optional<std::uint32_t> find(std::int64_t id) const;
  // The slots without an id.
  Slots holes() const;

  // The slots that have one of the `count` distinct ids now; null ids, which mean the next free ones, have none.
  // Throws InvalidArgument naming the row of a negative or repeated id.
  Slots holders(const std::int64_t* ids, std::size_t count) const;
  // The slots of those ids that are known. Throws InvalidArgument naming the row of a negative id.
  Slots known(const std::int64_t* ids, std::size_t count) const;

  // Gets ready to give these ids to slots that have none or are beyond size().
  void prepare_assign(const Slots& slots, const std::int64_t* ids);
  // ids: as prepared, by slot. A slot that has one of them now loses it.
  void assign(const Slots& slots, const std::int64_t* ids) noexcept;
  // Gets ready for erase.
  void prepare_erase();
  // Takes their ids from the slots and writes them to `ids`, which is as long; `restore` undoes the latest erase.
  void erase(const Slots& slots, std::vector<std::int64_t>& ids) noexcept;
  void restore(const Slots& slots, const std::vector<std::int64_t>& ids) noexcept;
  // Gets ready for keep.
  void prepare_keep(const Slots& kept);
  // Drops all slots that are not kept, which have no ids; as prepared.
  void keep() noexcept;
  // Drops what was prepared and not done.
  void abandon() noexcept { prepared_.reset(); }

  // Throws CorruptIndexError unless the ids are distinct, below next_id, and as many as live() says.
  void check() const;
  // Throws CorruptIndexError unless live() slots have an id.
  void check_count() const;
  std::size_t bytes() const;

 private:
  // Slots by the hash of their id: linear probing, a power of two of entries, at most 3/4 of them taken.
  class Table {
   public:
    bool empty() const noexcept { return entries_.empty(); }
    void clear() noexcept { std::vector<std::uint32_t>().swap(entries_); }
    std::size_t bytes() const noexcept { return entries_.capacity() * sizeof(std::uint32_t); }
    // With room for `capacity` ids.
    void rebuild(const std::int64_t* ids, std::size_t size, std::size_t capacity);
    bool fits(std::size_t size) const noexcept { return size <= entries_.size() / 4 * 3; }
    std::uint32_t find(const std::int64_t* ids, std::int64_t id) const noexcept;
    // Enters the slot unless its id is there already; returns the slot that has the id.
    std::uint32_t insert(const std::int64_t* ids, std::uint32_t slot) noexcept;
    // The slot is in the table.
    void erase(const std::int64_t* ids, std::uint32_t slot) noexcept;

   private:
    std::size_t home(std::int64_t id) const noexcept;
    std::size_t position(const std::int64_t* ids, std::int64_t id) const noexcept;

    std::vector<std::uint32_t> entries_;
    int shift_ = 64;
  };

  // Ids to be listed in place of those there are.
  struct Listed {
    core::Array<std::int64_t> ids;
    Table table;
  };

  bool continues_identity(const Slots& slots, const std::int64_t* ids) const noexcept;
  Listed list_ids(std::size_t size, std::size_t capacity) const;
  void adopt() noexcept;
  void extend(std::size_t size) noexcept;
  void ensure_table() const;

  std::size_t size_ = 0;
  std::size_t live_ = 0;
  std::uint64_t next_id_ = 0;
  bool identity_ = true;
  bool was_identity_ = true;  // before the latest erase
  core::Array<std::int64_t> ids_;
  std::optional<Listed> prepared_;
  mutable Table table_;
  mutable std::atomic<bool> table_ready_{false};
  mutable std::mutex table_mutex_;
};

}  // namespace hopspan::index
