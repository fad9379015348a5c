#include "index/id_map.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "hopspan/error.h"

namespace hopspan::index {
namespace {

constexpr std::uint32_t kEmpty = 0xFFFFFFFFu;
constexpr std::uint64_t kMaxId = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
constexpr int kMinBits = 4;

void check_free(std::uint64_t next_id, std::size_t count) {
  if (count == 0 || (next_id <= kMaxId && count - 1 <= kMaxId - next_id)) return;
  throw InvalidArgument("the index holds id " + std::to_string(next_id - 1) + "; " + std::to_string(count) +
                        " ids above it would pass the largest id, " + std::to_string(kMaxId));
}

void check_not_negative(const std::int64_t* ids, std::size_t count) {
  for (std::size_t row = 0; row < count; ++row) {
    if (ids[row] >= 0) continue;
    throw InvalidArgument("id " + std::to_string(ids[row]) + " (row " + std::to_string(row) +
                          ") is negative; ids are 0 or more");
  }
}

}  // namespace

void IdMap::Table::rebuild(const std::int64_t* ids, std::size_t size, std::size_t capacity) {
  int bits = kMinBits;
  while (capacity > (std::size_t{1} << bits) / 4 * 3) ++bits;
  std::vector<std::uint32_t> entries(std::size_t{1} << bits, kEmpty);
  entries_ = std::move(entries);
  shift_ = 64 - bits;
  for (std::size_t slot = 0; slot < size; ++slot) insert(ids, static_cast<std::uint32_t>(slot));
}

// The entry that holds the id, or the empty one where it belongs.
std::size_t IdMap::Table::position(const std::int64_t* ids, std::int64_t id) const noexcept {
  const std::size_t mask = entries_.size() - 1;
  std::size_t at = static_cast<std::size_t>((static_cast<std::uint64_t>(id) * 0x9E3779B97F4A7C15ULL) >> shift_);
  while (entries_[at] != kEmpty && ids[entries_[at]] != id) at = (at + 1) & mask;
  return at;
}

std::uint32_t IdMap::Table::find(const std::int64_t* ids, std::int64_t id) const noexcept {
  return entries_[position(ids, id)];
}

std::uint32_t IdMap::Table::insert(const std::int64_t* ids, std::uint32_t slot) noexcept {
  std::uint32_t& entry = entries_[position(ids, ids[slot])];
  if (entry == kEmpty) entry = slot;
  return entry;
}

void IdMap::Table::erase_latest(const std::int64_t* ids, std::uint32_t slot) noexcept {
  entries_[position(ids, ids[slot])] = kEmpty;
}

IdMap::IdMap(core::Array<std::int64_t> ids, std::uint64_t next_id)
    : size_(ids.size()), next_id_(next_id), identity_(false), ids_(std::move(ids)) {}

std::optional<std::uint32_t> IdMap::find(std::int64_t id) const {
  if (identity_) {
    if (id < 0 || static_cast<std::uint64_t>(id) >= size_) return std::nullopt;
    return static_cast<std::uint32_t>(id);
  }
  ensure_table();
  const std::uint32_t slot = table_.find(ids_.data(), id);
  if (slot == kEmpty) return std::nullopt;
  return slot;
}

// Searches may ask at the same time; changes are made alone.
void IdMap::ensure_table() const {
  if (table_ready_.load(std::memory_order_acquire)) return;
  const std::lock_guard<std::mutex> lock(table_mutex_);
  if (table_ready_.load(std::memory_order_relaxed)) return;
  table_.rebuild(ids_.data(), size_, size_);
  table_ready_.store(true, std::memory_order_release);
}

bool IdMap::continues_identity(const std::int64_t* ids, std::size_t count) const noexcept {
  if (!identity_) return false;
  for (std::size_t i = 0; ids != nullptr && i < count; ++i) {
    if (ids[i] != static_cast<std::int64_t>(size_ + i)) return false;
  }
  return true;
}

void IdMap::append(const std::int64_t* ids, std::size_t count) {
  if (ids == nullptr) {
    check_free(next_id_, count);
  } else {
    check_not_negative(ids, count);
  }
  const Undo undo{size_, next_id_, identity_};
  if (continues_identity(ids, count)) {
    size_ += count;
    next_id_ = size_;
  } else {
    append_explicit(ids, count);
  }
  undo_ = undo;
}

void IdMap::append_explicit(const std::int64_t* ids, std::size_t count) {
  const bool was_identity = identity_;
  try {
    if (!was_identity) ensure_table();
    ids_.resize(size_ + count);
    std::int64_t* all = ids_.mutable_data();
    if (was_identity) std::iota(all, all + size_, std::int64_t{0});
    for (std::size_t i = 0; i < count; ++i) {
      all[size_ + i] = ids != nullptr ? ids[i] : static_cast<std::int64_t>(next_id_ + i);
    }
    if (was_identity || !table_.fits(size_ + count)) table_.rebuild(all, size_, size_ + count);
    enter(size_, count);
  } catch (...) {
    if (was_identity) {
      ids_ = {};
      table_.clear();
    } else if (!ids_.mapped()) {
      ids_.resize(size_);
    }
    throw;
  }
  for (std::size_t i = size_; i < size_ + count; ++i) {
    next_id_ = std::max(next_id_, static_cast<std::uint64_t>(ids_[i]) + 1);
  }
  size_ += count;
  identity_ = false;
  table_ready_.store(true, std::memory_order_release);
}

// Enters the slots from `first` on into the table, or none of them when an id is there already.
void IdMap::enter(std::size_t first, std::size_t count) {
  const std::int64_t* ids = ids_.data();
  for (std::size_t row = 0; row < count; ++row) {
    const std::uint32_t slot = static_cast<std::uint32_t>(first + row);
    const std::uint32_t holder = table_.insert(ids, slot);
    if (holder == slot) continue;
    for (std::size_t r = row; r-- > 0;) table_.erase_latest(ids, static_cast<std::uint32_t>(first + r));
    const std::string id = "id " + std::to_string(ids[slot]);
    if (holder < first) {
      throw InvalidArgument(id + " is already in the index (row " + std::to_string(row) +
                            "); replacing is not supported yet");
    }
    throw InvalidArgument(id + " is given twice (rows " + std::to_string(holder - first) + " and " +
                          std::to_string(row) + ")");
  }
}

void IdMap::undo_append() noexcept {
  if (undo_.identity) {
    ids_ = {};
    table_.clear();
    table_ready_.store(false, std::memory_order_relaxed);
  } else {
    for (std::size_t slot = size_; slot-- > undo_.size;) {
      table_.erase_latest(ids_.data(), static_cast<std::uint32_t>(slot));
    }
    ids_.resize(undo_.size);
  }
  size_ = undo_.size;
  next_id_ = undo_.next_id;
  identity_ = undo_.identity;
}

void IdMap::check() const {
  if (identity_) return;
  ensure_table();
  const auto name = [](std::int64_t id, std::size_t slot) {
    return "id " + std::to_string(id) + " of slot " + std::to_string(slot);
  };
  std::uint64_t next_id = 0;
  for (std::size_t slot = 0; slot < size_; ++slot) {
    const std::int64_t id = ids_[slot];
    if (id < 0) throw CorruptIndexError(name(id, slot) + " is negative");
    next_id = std::max(next_id, static_cast<std::uint64_t>(id) + 1);
    const std::uint32_t holder = table_.find(ids_.data(), id);
    if (holder != slot)
      throw CorruptIndexError(name(id, slot) + " is the id of slot " + std::to_string(holder) + " too");
  }
  if (next_id != next_id_) {
    throw CorruptIndexError("the ids end at " + std::to_string(next_id - 1) + ", not at " +
                            std::to_string(next_id_ - 1));
  }
}

std::size_t IdMap::bytes() const {
  const std::lock_guard<std::mutex> lock(table_mutex_);
  return ids_.capacity_bytes() + table_.bytes();
}

}  // namespace hopspan::index
