// One list as bytes: what is encoded, stored, fetched and scanned.
//
//   header, 16 bytes   u32 entries, 12 zero bytes
//   blocks             of 32 entries each, the last one filled up: the codes as distance/scan.h lays them out; under l2
//                      a float for each entry (its factor); a u32 for each entry: its slot, with kReplica when it is
//                      not the vector's first copy; kNoSlot where there is no entry
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "distance/scan.h"
#include "hopspan/error.h"
#include "hopspan/options.h"
#include "spann/lists/codebook.h"

namespace hopspan::spann {

inline constexpr std::size_t kListHeaderBytes = 16;
inline constexpr std::uint32_t kReplica = 0x80000000u;
inline constexpr std::uint32_t kNoSlot = 0x7FFFFFFFu;

inline std::uint32_t slot_of(std::uint32_t entry) { return entry & ~kReplica; }

inline distance::ScanShape list_shape(std::size_t dim, Metric metric) {
  const std::size_t pairs = Codebook::padded(dim) / 4;
  const bool factors = metric == Metric::kL2;
  return {pairs, pairs * 32 + distance::kScanEntries * (factors ? 8 : 4), factors};
}

inline std::size_t list_blocks(std::size_t entries) {
  return (entries + distance::kScanEntries - 1) / distance::kScanEntries;
}

inline std::size_t list_bytes(const distance::ScanShape& shape, std::size_t entries) {
  return kListHeaderBytes + list_blocks(entries) * shape.block_bytes;
}

// Where the slot of an entry lies behind the header.
inline std::size_t entry_offset(const distance::ScanShape& shape, std::size_t position) {
  return (position / distance::kScanEntries + 1) * shape.block_bytes -
         sizeof(std::uint32_t) * (distance::kScanEntries - position % distance::kScanEntries);
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
  const std::byte* blocks() const noexcept { return data_ + kListHeaderBytes; }
  // A slot, with or without kReplica.
  std::uint32_t entry(std::size_t position) const noexcept {
    std::uint32_t value;
    std::memcpy(&value, blocks() + entry_offset(*shape_, position), sizeof value);
    return value;
  }

 private:
  const std::byte* data_;
  const distance::ScanShape* shape_;
  std::size_t entries_ = 0;
};

}  // namespace hopspan::spann
