// One list as bytes: what is encoded, stored, fetched and scanned.
//
//   header, 32 bytes   u32 entries, 12 zero bytes; f32 low and step of terms, f32 low and step of factors, where these
//                      are rounded
//   blocks             of 32 entries, but for the last, which is only as wide as its entries need. A block of width w,
//                      up to 16, holds 2 w entries: for each code w bytes, of which byte j has the code of entry j in
//                      its low half and that of entry j + w in its high half; then what distance/scan.h says of the
//                      shape, for each entry; then a u32 for each entry: its slot, with kReplica when it is not the
//                      vector's first copy; kNoSlot where there is no entry
//   zero bytes         up to a multiple of 8
//
// Without rounded terms and factors the header ends behind the 12 zero bytes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "distance/scan.h"
#include "hopspan/error.h"

namespace hopspan::spann {

inline constexpr std::uint32_t kReplica = 0x80000000u;
inline constexpr std::uint32_t kNoSlot = 0x7FFFFFFFu;

inline constexpr std::size_t kTermsAt = 16;    // in the header
inline constexpr std::size_t kFactorsAt = 24;  // the same

inline std::uint32_t slot_of(std::uint32_t entry) { return entry & ~kReplica; }

inline constexpr std::size_t kBlockWidth = distance::kScanEntries / 2;

// What there is of an entry besides its codes and its number.
inline std::size_t extra_bytes(distance::ScanExtras extras) {
  switch (extras) {
    case distance::ScanExtras::kNone:
      return 0;
    case distance::ScanExtras::kTerms:
      return sizeof(float);
    default:
      return 2;
  }
}

inline std::size_t header_bytes(const distance::ScanShape& shape) {
  return shape.extras == distance::ScanExtras::kRoundedTermsAndFactors ? 32 : 16;
}

// Of lists whose entries have `codes` codes, an even number.
inline distance::ScanShape list_shape(std::size_t codes, distance::ScanExtras extras) {
  return {codes / 2, kBlockWidth * (codes + 2 * (extra_bytes(extras) + sizeof(std::uint32_t))), extras};
}

// Of a block, by its width.
struct BlockLayout {
  BlockLayout(const distance::ScanShape& shape, std::size_t of_width)
      : width(of_width),
        extras(2 * shape.pairs * width),
        entries(extras + 2 * width * extra_bytes(shape.extras)),
        bytes(entries + 2 * width * sizeof(std::uint32_t)) {}

  std::size_t width;
  std::size_t extras;   // at which byte they start
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
  return (header_bytes(shape) + entries / distance::kScanEntries * shape.block_bytes + last + 7) / 8 * 8;
}

// How many entries fit.
inline std::size_t entries_in(const distance::ScanShape& shape, std::size_t bytes) {
  bytes = bytes / 8 * 8;
  const std::size_t header = header_bytes(shape);
  if (bytes <= header) return 0;
  const std::size_t whole = (bytes - header) / shape.block_bytes, left = (bytes - header) % shape.block_bytes;
  return whole * distance::kScanEntries + 2 * (left / BlockLayout(shape, 1).bytes);
}

// A list's parts. Throws CorruptIndexError when its size is not that of its entries.
class ListView {
 public:
  ListView(const std::byte* data, std::size_t size, const distance::ScanShape& shape) : data_(data), shape_(&shape) {
    std::uint32_t entries = 0;
    if (size >= header_bytes(shape)) std::memcpy(&entries, data, sizeof entries);
    entries_ = entries;
    if (size < header_bytes(shape) || size != list_bytes(shape, entries)) {
      throw CorruptIndexError("a list of " + std::to_string(size) + " bytes cannot hold " + std::to_string(entries) +
                              " entries");
    }
  }

  std::size_t entries() const noexcept { return entries_; }
  const distance::ScanShape& shape() const noexcept { return *shape_; }
  const std::byte* blocks() const noexcept { return data_ + header_bytes(*shape_); }
  // What rounded terms and factors stand for.
  distance::ScanRange terms() const noexcept { return range(kTermsAt); }
  distance::ScanRange factors() const noexcept { return range(kFactorsAt); }
  // A slot, with or without kReplica.
  std::uint32_t entry(std::size_t position) const noexcept {
    const Place place(*shape_, entries_, position);
    std::uint32_t value;
    std::memcpy(&value, blocks() + place.start + place.layout.entries + place.index * sizeof value, sizeof value);
    return value;
  }

 private:
  distance::ScanRange range(std::size_t at) const noexcept {
    distance::ScanRange range;
    if (shape_->extras == distance::ScanExtras::kRoundedTermsAndFactors) {
      std::memcpy(&range.low, data_ + at, sizeof range.low);
      std::memcpy(&range.step, data_ + at + sizeof range.low, sizeof range.step);
    }
    return range;
  }

  const std::byte* data_;
  const distance::ScanShape* shape_;
  std::size_t entries_ = 0;
};

}  // namespace hopspan::spann
