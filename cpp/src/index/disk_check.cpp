// What check does with an index on disk: it reads all of it, a part at a time.
#include <algorithm>
#include <cstring>
#include <string>

#include "index/disk_index.h"

namespace hopspan::index {
namespace {

constexpr std::size_t kListsAtOnce = 64;
constexpr std::size_t kRowsAtOnce = 4096;

std::vector<std::uint32_t> numbers_from(std::size_t first, std::size_t count) {
  std::vector<std::uint32_t> numbers(count);
  for (std::size_t i = 0; i < count; ++i) numbers[i] = static_cast<std::uint32_t>(first + i);
  return numbers;
}

}  // namespace

void DiskIndex::read_rows(std::size_t first, std::size_t count, vectors::Matrix& out) const {
  core::Array<std::byte> bytes;
  const std::size_t row_bytes = format_.row_bytes();
  bytes.resize(count * row_bytes);
  std::byte* const to = bytes.mutable_data();
  const std::vector<std::uint32_t> slots = numbers_from(first, count);
  spann::FetchCost cost;
  rows_.fetch(
      slots.data(), count,
      [&](std::size_t place, const std::byte* row, std::size_t n) { std::memcpy(to + place * row_bytes, row, n); },
      cost);
  out = vectors::Matrix(format_, std::move(bytes));
}

CheckReport DiskIndex::check(bool deep) const {
  reader_->verify();
  ids_.check();
  CheckReport report;
  report.vectors = meta_.size;
  if (!deep) return report;
  check_rows();
  report.links = check_lists();
  report.reachable = meta_.size;
  return report;
}

void DiskIndex::check_rows() const {
  vectors::Matrix batch(format_);
  for (std::size_t first = 0; first < meta_.size; first += kRowsAtOnce) {
    read_rows(first, std::min<std::size_t>(kRowsAtOnce, meta_.size - first), batch);
    batch.check();
  }
}

// Every vector has one first copy; returns the copies in all.
std::size_t DiskIndex::check_lists() const {
  std::vector<bool> met(meta_.size, false);
  std::size_t copies = 0, first_copies = 0;
  for (std::size_t first = 0; first < lists_.size(); first += kListsAtOnce) {
    const std::vector<std::uint32_t> numbers = numbers_from(first, std::min(kListsAtOnce, lists_.size() - first));
    spann::FetchCost cost;
    lists_.fetch(
        numbers.data(), numbers.size(),
        [&](std::size_t place, const std::byte* data, std::size_t size) {
          const spann::ListView list(data, size, coder_.shape());
          copies += list.entries();
          for (std::size_t i = 0; i < list.entries(); ++i) {
            const std::uint32_t entry = list.entry(i);
            const std::uint32_t slot = spann::slot_of(entry);
            const bool is_first = (entry & spann::kReplica) == 0;
            if (slot >= met.size() || (is_first && met[slot])) {
              throw CorruptIndexError("list " + std::to_string(numbers[place]) + " holds vector " +
                                      std::to_string(slot) + (slot < met.size() ? " once more" : ", which is none"));
            }
            if (is_first) met[slot] = true, ++first_copies;
          }
        },
        cost);
  }
  if (first_copies != met.size()) {
    throw CorruptIndexError(std::to_string(met.size() - first_copies) + " vectors are in no list");
  }
  return copies;
}

}  // namespace hopspan::index
