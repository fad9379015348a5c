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
  throw InvalidArgument("the index has had id " + std::to_string(next_id - 1) + "; " + std::to_string(count) +
                        " ids above it would pass the largest id, " + std::to_string(kMaxId));
}

void check_not_negative(const std::int64_t* ids, std::size_t count) {
  for (std::size_t row = 0; row < count; ++row) {
    if (ids[row] >= 0) continue;
    throw InvalidArgument("id " + std::to_string(ids[row]) + " (row " + std::to_string(row) +
                          ") is negative; ids are 0 or more");
  }
}

// Names the first two rows of the first id that is given twice.
void check_distinct(const std::int64_t* ids, std::size_t count) {
  if (std::adjacent_find(ids, ids + count, [](std::int64_t a, std::int64_t b) { return a >= b; }) == ids + count)
    return;
  std::vector<std::size_t> rows(count);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  std::sort(rows.begin(), rows.end(),
            [ids](std::size_t a, std::size_t b) { return ids[a] != ids[b] ? ids[a] < ids[b] : a < b; });
  const auto same = [ids](std::size_t a, std::size_t b) { return ids[a] == ids[b]; };
  const auto found = std::adjacent_find(rows.begin(), rows.end(), same);
  if (found == rows.end()) return;
  throw InvalidArgument("id " + std::to_string(ids[*found]) + " is given twice (rows " + std::to_string(*found) +
                        " and " + std::to_string(found[1]) + ")");
}

}  // namespace

void IdMap::Table::rebuild(const std::int64_t* ids, std::size_t size, std::size_t capacity) {
  int bits = kMinBits;
  while (capacity > (std::size_t{1} << bits) / 4 * 3) ++bits;
  std::vector<std::uint32_t> entries(std::size_t{1} << bits, kEmpty);
  entries_ = std::move(entries);
  shift_ = 64 - bits;
  for (std::size_t slot = 0; slot < size; ++slot) {
    if (ids[slot] != kNoId) insert(ids, static_cast<std::uint32_t>(slot));
  }
}

std::size_t IdMap::Table::home(std::int64_t id) const noexcept {
  return static_cast<std::size_t>((static_cast<std::uint64_t>(id) * 0x9E3779B97F4A7C15ULL) >> shift_);
}

// The entry that holds the id, or the empty one where it belongs.
std::size_t IdMap::Table::position(const std::int64_t* ids, std::int64_t id) const noexcept {
  const std::size_t mask = entries_.size() - 1;
  std::size_t at = home(id);
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

// The entries behind the gap move up as far as their ids' homes allow, so that no search ends at it too early.
void IdMap::Table::erase(const std::int64_t* ids, std::uint32_t slot) noexcept {
  const std::size_t mask = entries_.size() - 1;
  std::size_t gap = position(ids, ids[slot]);
  for (std::size_t at = (gap + 1) & mask; entries_[at] != kEmpty; at = (at + 1) & mask) {
    if (((at - home(ids[entries_[at]])) & mask) < ((at - gap) & mask)) continue;
    entries_[gap] = entries_[at];
    gap = at;
  }
  entries_[gap] = kEmpty;
}

IdMap::IdMap(core::Array<std::int64_t> ids, std::size_t live, std::uint64_t next_id)
    : size_(ids.size()), live_(live), next_id_(next_id), identity_(false), ids_(std::move(ids)) {}

IdMap::IdMap(core::Array<std::int64_t> ids, std::uint64_t next_id)
    : size_(ids.size()), live_(size_), next_id_(next_id), identity_(false), ids_(std::move(ids)) {}

std::optional<std::uint32_t> IdMap::find(std::int64_t id) const {
  if (id < 0) return std::nullopt;
  if (identity_) {
    if (static_cast<std::uint64_t>(id) >= size_) return std::nullopt;
    return static_cast<std::uint32_t>(id);
  }
  ensure_table();
  const std::uint32_t slot = table_.find(ids_.data(), id);
  if (slot == kEmpty) return std::nullopt;
  return slot;
}

IdMap::Slots IdMap::holes() const {
  Slots slots;
  if (live_ == size_) return slots;
  for (std::size_t slot = 0; slot < size_; ++slot) {
    if (ids_[slot] == kNoId) slots.push_back(static_cast<std::uint32_t>(slot));
  }
  return slots;
}

// Searches may ask at the same time; changes are made alone.
void IdMap::ensure_table() const {
  if (table_ready_.load(std::memory_order_acquire)) return;
  const std::lock_guard<std::mutex> lock(table_mutex_);
  if (table_ready_.load(std::memory_order_relaxed)) return;
  table_.rebuild(ids_.data(), size_, live_);
  table_ready_.store(true, std::memory_order_release);
}

IdMap::Slots IdMap::holders(const std::int64_t* ids, std::size_t count) const {
  if (ids == nullptr) {
    check_free(next_id_, count);
    return {};
  }
  check_not_negative(ids, count);
  check_distinct(ids, count);
  return known(ids, count);
}

IdMap::Slots IdMap::known(const std::int64_t* ids, std::size_t count) const {
  check_not_negative(ids, count);
  Slots slots;
  for (std::size_t row = 0; row < count; ++row) {
    if (const std::optional<std::uint32_t> slot = find(ids[row])) slots.push_back(*slot);
  }
  std::sort(slots.begin(), slots.end());
  slots.erase(std::unique(slots.begin(), slots.end()), slots.end());
  return slots;
}

bool IdMap::continues_identity(const Slots& slots, const std::int64_t* ids) const noexcept {
  if (!identity_ || next_id_ != size_) return false;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (slots[i] != size_ + i || (ids != nullptr && ids[i] != static_cast<std::int64_t>(size_ + i))) return false;
  }
  return true;
}

// The ids of an identity map as a list with room for `size` slots, of which `capacity` can have ids.
IdMap::Listed IdMap::list_ids(std::size_t size, std::size_t capacity) const {
  Listed listed;
  listed.ids.reserve(size);
  listed.ids.resize(size_);
  std::int64_t* const all = listed.ids.mutable_data();
  std::iota(all, all + size_, std::int64_t{0});
  listed.table.rebuild(all, size_, capacity);
  return listed;
}

void IdMap::prepare_assign(const Slots& slots, const std::int64_t* ids) {
  if (slots.empty() || continues_identity(slots, ids)) return;
  const std::size_t size = std::max(size_, std::size_t{slots.back()} + 1);
  const std::size_t capacity = live_ + slots.size();
  if (identity_) {
    prepared_ = list_ids(size, capacity);
    return;
  }
  ensure_table();
  if (size > size_) {
    ids_.resize(size);
    ids_.resize(size_);
  }
  ids_.mutable_data();
  if (!table_.fits(capacity)) table_.rebuild(ids_.data(), size_, capacity + capacity / 2);
}

void IdMap::assign(const Slots& slots, const std::int64_t* ids) noexcept {
  if (continues_identity(slots, ids)) {
    size_ += slots.size();
    live_ = next_id_ = size_;
    return;
  }
  if (slots.empty()) return;
  adopt();
  if (slots.back() >= size_) extend(std::size_t{slots.back()} + 1);
  std::int64_t* const all = ids_.mutable_data();
  const std::uint64_t first = next_id_;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const std::int64_t id = ids != nullptr ? ids[i] : static_cast<std::int64_t>(first + i);
    const std::uint32_t holder = table_.find(all, id);
    if (holder != kEmpty) {
      table_.erase(all, holder);
      all[holder] = kNoId;
      --live_;
    }
    all[slots[i]] = id;
    table_.insert(all, slots[i]);
    ++live_;
    next_id_ = std::max(next_id_, static_cast<std::uint64_t>(id) + 1);
  }
}

void IdMap::prepare_erase() {
  if (identity_) {
    prepared_ = list_ids(size_, size_);
    return;
  }
  ensure_table();
  ids_.mutable_data();
}

void IdMap::erase(const Slots& slots, std::vector<std::int64_t>& ids) noexcept {
  was_identity_ = identity_;
  adopt();
  std::int64_t* const all = ids_.mutable_data();
  for (std::size_t i = 0; i < slots.size(); ++i) {
    ids[i] = all[slots[i]];
    table_.erase(all, slots[i]);
    all[slots[i]] = kNoId;
  }
  live_ -= slots.size();
}

void IdMap::restore(const Slots& slots, const std::vector<std::int64_t>& ids) noexcept {
  std::int64_t* const all = ids_.mutable_data();
  for (std::size_t i = 0; i < slots.size(); ++i) {
    all[slots[i]] = ids[i];
    table_.insert(all, slots[i]);
  }
  live_ += slots.size();
  if (!was_identity_) return;
  ids_ = {};
  table_.clear();
  table_ready_.store(false, std::memory_order_relaxed);
  identity_ = true;
}

// An identity map becomes a list.
void IdMap::adopt() noexcept {
  if (!prepared_) return;
  ids_ = std::move(prepared_->ids);
  table_ = std::move(prepared_->table);
  prepared_.reset();
  identity_ = false;
  table_ready_.store(true, std::memory_order_release);
}

// Within the room that was made.
void IdMap::extend(std::size_t size) noexcept {
  ids_.resize(size);
  std::fill(ids_.mutable_data() + size_, ids_.mutable_data() + size, kNoId);
  size_ = size;
}

void IdMap::prepare_keep(const Slots& kept) {
  Listed listed;
  listed.ids.resize(kept.size());
  std::int64_t* const all = listed.ids.mutable_data();
  for (std::size_t i = 0; i < kept.size(); ++i) all[i] = id(kept[i]);
  listed.table.rebuild(all, kept.size(), kept.size());
  prepared_ = std::move(listed);
}

void IdMap::keep() noexcept {
  size_ = prepared_->ids.size();
  adopt();
}

void IdMap::check_count() const {
  const std::size_t holes = this->holes().size();
  if (size_ - holes == live_) return;
  throw CorruptIndexError(std::to_string(size_ - holes) + " slots have an id, not " + std::to_string(live_));
}

void IdMap::check() const {
  if (identity_) return;
  check_count();
  ensure_table();
  for (std::size_t slot = 0; slot < size_; ++slot) {
    const std::int64_t id = ids_[slot];
    if (id == kNoId && live_ != size_) continue;
    const auto name = [&] { return "id " + std::to_string(id) + " of slot " + std::to_string(slot); };
    if (id < 0) throw CorruptIndexError(name() + " is negative");
    if (static_cast<std::uint64_t>(id) >= next_id_) {
      throw CorruptIndexError(name() + " is not below " + std::to_string(next_id_));
    }
    const std::uint32_t holder = table_.find(ids_.data(), id);
    if (holder != slot) throw CorruptIndexError(name() + " is the id of slot " + std::to_string(holder) + " too");
  }
}

std::size_t IdMap::bytes() const {
  const std::lock_guard<std::mutex> lock(table_mutex_);
  return ids_.capacity_bytes() + table_.bytes();
}

}  // namespace hopspan::index
