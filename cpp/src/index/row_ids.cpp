#include "index/row_ids.h"

#include <algorithm>
#include <string>

#include "hopspan/error.h"

namespace hopspan::index {
namespace {

constexpr std::size_t kAtOnce = storage::kBlockBytes / sizeof(std::int64_t);

}  // namespace

RowIds::RowIds(const storage::ContainerReader& reader, std::size_t size) {
  if (reader.size("IDS ") != size * sizeof(std::int64_t)) {
    throw CorruptIndexError("section IDS has " + std::to_string(reader.size("IDS ")) + " bytes for " +
                            std::to_string(size) + " vectors");
  }
  ids_.resize(size);
  std::uint32_t* const ids = ids_.mutable_data();
  std::vector<std::int64_t> some(std::min(size, kAtOnce));
  for (std::size_t first = 0; first < size; first += kAtOnce) {
    const std::size_t count = std::min(kAtOnce, size - first);
    reader.read("IDS ", first * sizeof(std::int64_t), some.data(), count * sizeof(std::int64_t));
    for (std::size_t i = 0; i < count; ++i) {
      if (some[i] < 0 || static_cast<std::uint64_t>(some[i]) >= size) {
        throw CorruptIndexError("vector " + std::to_string(first + i) + " has id " + std::to_string(some[i]) +
                                ", which is not below " + std::to_string(size));
      }
      ids[first + i] = static_cast<std::uint32_t>(some[i]);
    }
  }
}

std::optional<std::uint32_t> RowIds::find(std::int64_t id) const {
  if (id < 0 || static_cast<std::uint64_t>(id) >= ids_.size()) return std::nullopt;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (slots_.empty()) {
    std::vector<std::uint32_t> slots(ids_.size());
    for (std::size_t slot = 0; slot < ids_.size(); ++slot) slots[ids_[slot]] = static_cast<std::uint32_t>(slot);
    slots_ = std::move(slots);
  }
  return slots_[static_cast<std::size_t>(id)];
}

void RowIds::check() const {
  std::vector<bool> met(ids_.size(), false);
  for (std::size_t slot = 0; slot < ids_.size(); ++slot) {
    if (met[ids_[slot]]) throw CorruptIndexError("id " + std::to_string(ids_[slot]) + " occurs twice");
    met[ids_[slot]] = true;
  }
}

std::size_t RowIds::bytes() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return ids_.capacity_bytes() + slots_.capacity() * sizeof(std::uint32_t);
}

}  // namespace hopspan::index
