// One list as bytes: what is encoded, stored, fetched and scanned.
//
//   header, 16 bytes   u32 entries, 12 zero bytes
//   blocks             of 32 entries, but for the last, which is only as wide as its entries need. A block of width w,
//                      up to 16, holds 2 w entries: for each code w bytes, of which byte j has the code of entry j in
//                      its low half and that of entry j + w in its high half; then as many floats for each entry as
//                      distance/scan.h says of the shape; then a u32 for each entry: its slot, with kReplica when it is
//                      not the vector's first copy; kNoSlot where there is no entry
//   zero bytes         up to a multiple of 8
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "distance/scan.h"
#include "hopspan/error.h"

namespace hopspan::spann {

inline constexpr std::size_t kListHeaderBytes = 16;
inline constexpr std::uint32_t kReplica = 0x80000000u;
inline constexpr std::uint32_t kNoSlot = 0x7FFFFFFFu;

inline std::uint32_t slot_of(std::uint32_t entry) { return entry & ~kReplica; }

inline constexpr std::size_t kBlockWidth = distance::kScanEntries / 2;

// Of lists whose entries have `codes` codes, an even number.
inline distance::ScanShape list_shape(std::size_t codes, distance::ScanFloats floats) {
  const std::size_t words = static_cast<std::size_t>(floats) + 1;
  return {codes / 2, kBlockWidth * (codes + 2 * words * sizeof(std::uint32_t)), floats};
}

// Of a block, by its width.
struct BlockLayout {
  BlockLayout(const distance::ScanShape& shape, std::size_t of_width)
      : width(of_width),
        floats(2 * shape.pairs * width),
        entries(floats + 2 * width * sizeof(float) * static_cast<std::size_t>(shape.floats)),
        bytes(entries + 2 * width * sizeof(std::uint32_t)) {}

  std::size_t width;
  std::size_t floats;   // at which byte they start
  std::size_t entries;  // the same
  std::size_t bytes;
};

// Where an entry lies in a list of so many.
struct Place {
  Place(const distance::ScanShape& shape, std::size_t entries, std::size_t position)
      : start(position / distance::kScanEntries * shape.block_bytes),
        index(position % distance::kScanEntries),
        layout(shape, std::min(kBlockWidth, (entries - position + index + 1) / 2)) {}

  std::size_t start;  // of the block, behind the header
  std::size_t index;  // in the block
  BlockLayout layout;
};

inline std::size_t list_bytes(const distance::ScanShape& shape, std::size_t entries) {
  const std::size_t last = BlockLayout(shape, (entries % distance::kScanEntries + 1) / 2).bytes;
  return (kListHeaderBytes + entries / distance::kScanEntries * shape.block_bytes + last + 7) / 8 * 8;
}

// How many entries fit.
inline std::size_t entries_in(const distance::ScanShape& shape, std::size_t bytes) {
  bytes = bytes / 8 * 8;
  if (bytes <= kListHeaderBytes) return 0;
  const std::size_t whole = (bytes - kListHeaderBytes) / shape.block_bytes;
  const std::size_t left = (bytes - kListHeaderBytes) % shape.block_bytes;
  return whole * distance::kScanEntries + 2 * (left / BlockLayout(shape, 1).bytes);
}

// A list's parts. Throws CorruptIndexError when its size is not that of its entries.
class ListView {
 public:
  ListView(const std::byte* data, std::size_t size, const distance::ScanShape& shape) : data_(data), shape_(&shape) {
    std::uint32_t entries = 0;
    if (size >= kListHeaderBytes) std::memcpy(&entries, data, sizeof entries);
    entries_ = entries;
    if (size < kListHeaderBytes || size != list_bytes(shape, entries)) {
      throw CorruptIndexError("a list of " + std::to_string(size) + " bytes cannot hold " + std::to_string(entries) +
                              " entries");
    }
  }

  std::size_t entries() const noexcept { return entries_; }
  const distance::ScanShape& shape() const noexcept { return *shape_; }
  const std::byte* blocks() const noexcept { return data_ + kListHeaderBytes; }
  // A slot, with or without kReplica.
  std::uint32_t entry(std::size_t position) const noexcept {
    const Place place(*shape_, entries_, position);
    std::uint32_t value;
    std::memcpy(&value, blocks() + place.start + place.layout.entries + place.index * sizeof value, sizeof value);
    return value;
  }

 private:
  const std::byte* data_;
  const distance::ScanShape* shape_;
  std::size_t entries_ = 0;
};

}  // namespace hopspan::spann
