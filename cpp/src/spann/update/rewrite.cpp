#include "spann/update/rewrite.h"

#include <algorithm>
#include <cstring>

namespace hopspan::spann {
namespace {

// A place in a list and the blocks it is in.
template <typename Byte>
struct Spot {
  Spot(Byte* list, const distance::ScanShape& shape, std::size_t entries, std::size_t position)
      : place(shape, entries, position), block(list + header_bytes(shape) + place.start) {}

  std::size_t width() const { return place.layout.width; }
  std::size_t shift() const { return place.index < width() ? 0 : 4; }
  Byte* code(std::size_t c) const { return block + c * width() + place.index % width(); }
  Byte* extra(std::size_t bytes) const { return block + place.layout.extras + place.index * bytes; }
  Byte* entry() const { return block + place.layout.entries + place.index * sizeof(std::uint32_t); }

  Place place;
  Byte* block;
};

void copy_codes(const Spot<const std::byte>& from, const distance::ScanShape& shape, const Spot<std::byte>& to) {
  for (std::size_t c = 0; c < 2 * shape.pairs; ++c) {
    const std::byte code = *from.code(c) >> from.shift() & std::byte{15};
    *to.code(c) |= code << to.shift();
  }
  const std::size_t extra = extra_bytes(shape.extras);
  std::memcpy(to.extra(extra), from.extra(extra), extra);
}

std::size_t entries_of(const ListArray& list) {
  std::uint32_t entries;
  std::memcpy(&entries, list.data(), sizeof entries);
  return entries;
}

class Rewriting {
 public:
  Rewriting(const ListArray& before, const ListArray& coded, const std::vector<Member>& members,
            const distance::ScanShape& shape)
      : before_(before), coded_(coded), members_(members), shape_(shape), count_(members.size()) {}

  ListArray run() {
    list_.resize(list_bytes(shape_, count_));
    data_ = list_.mutable_data();
    const std::uint32_t total = static_cast<std::uint32_t>(count_);
    std::memcpy(data_, &total, sizeof total);
    for (std::size_t first = 0; first < count_; first += distance::kScanEntries) {
      if (!keeps_block(first)) copy_one_by_one(first, std::min(count_, first + distance::kScanEntries));
    }
    for (std::size_t i = 0; i < count_; ++i) put_entry(i, members_[i].entry);
    if (count_ % 2 != 0) {
      const Spot<std::byte> last(data_, shape_, count_, count_ - 1);
      std::memcpy(last.entry() + sizeof kNoSlot, &kNoSlot, sizeof kNoSlot);
    }
    return std::move(list_);
  }

 private:
  // Most blocks stay what they are.
  bool keeps_block(std::size_t first) {
    const std::size_t end = first + distance::kScanEntries;
    if (end > count_ || members_[first].from == kNotCoded || end > entries_of(before_)) return false;
    for (std::size_t i = first; i < end; ++i) {
      if (members_[i].from != i) return false;
    }
    const std::size_t at = header_bytes(shape_) + first / distance::kScanEntries * shape_.block_bytes;
    std::memcpy(data_ + at, before_.data() + at, shape_.block_bytes);
    return true;
  }

  void copy_one_by_one(std::size_t first, std::size_t end) {
    for (std::size_t i = first; i < end; ++i) {
      const bool is_new = members_[i].from == kNotCoded;
      const ListArray& source = is_new ? coded_ : before_;
      const std::size_t position = is_new ? next_coded_++ : members_[i].from;
      copy_codes({source.data(), shape_, entries_of(source), position}, shape_, {data_, shape_, count_, i});
    }
  }

  void put_entry(std::size_t i, std::uint32_t entry) {
    std::memcpy(Spot<std::byte>(data_, shape_, count_, i).entry(), &entry, sizeof entry);
  }

  const ListArray& before_;
  const ListArray& coded_;
  const std::vector<Member>& members_;
  const distance::ScanShape& shape_;
  std::size_t count_;
  std::size_t next_coded_ = 0;
  ListArray list_;
  std::byte* data_ = nullptr;
};

}  // namespace

ListArray rewrite_list(const ListArray& before, const std::vector<Member>& members, const Floats& vectors,
                       const Coder& coder, const float* head) {
  std::vector<std::uint32_t> fresh;
  for (const Member& member : members) {
    if (member.from == kNotCoded) fresh.push_back(member.entry);
  }
  ListArray coded = encode_list(vectors, coder, head, fresh);
  if (fresh.size() == members.size()) return coded;
  return Rewriting(before, coded, members, coder.shape()).run();
}

void renumber(const std::vector<std::uint32_t>& numbers, const distance::ScanShape& shape, ListArray& list) {
  std::byte* const data = list.mutable_data();
  const std::size_t count = entries_of(list);
  for (std::size_t i = 0; i < count; ++i) {
    const Spot<std::byte> spot(data, shape, count, i);
    std::uint32_t entry;
    std::memcpy(&entry, spot.entry(), sizeof entry);
    entry = numbers[slot_of(entry)] | (entry & kReplica);
    std::memcpy(spot.entry(), &entry, sizeof entry);
  }
}

}  // namespace hopspan::spann
