// How the lists and the full vectors of an index lie in its file, so that any of them can be read alone:
//
//   LST3  the lists one after another, each from the start of a page on; a list's last page ends in zero bytes
//   LDIR  u32 for each list: its bytes. Its first page follows from the sizes of those before it.
//   LSUM  u32 for each page of LST3: its checksum
//   ROWS  the vectors in the order of their slots, each at a multiple of 8 bytes and, where that leaves at most 1/16 of
//         a page free, none across the border of two pages; zero bytes between them
//   RSUM  u32 for each page of ROWS: its checksum
//
// A page is 4096 bytes. Its checksum covers the file id (u64), the tag of the section (u32), the number of the page in
// it (u64), the number of the list (u32; 0 in ROWS) and the page. It lies apart from the page, so that a list is one
// run of bytes, and a page that a write never reached shows as well.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/crc32c.h"
#include "storage/container.h"

namespace hopspan::spann::pages {

inline constexpr std::size_t kPageBytes = 4096;
static_assert(kPageBytes % storage::kDirectBytes == 0);

// The sections of one kind of strings.
struct Region {
  storage::Tag pages;
  storage::Tag checksums;
};

inline constexpr Region kLists = {"LST3", "LSUM"};
inline constexpr Region kRows = {"ROWS", "RSUM"};
inline constexpr storage::Tag kDirectory = "LDIR";

constexpr std::uint64_t page_count(std::uint64_t bytes) { return bytes / kPageBytes + (bytes % kPageBytes != 0); }

inline std::uint32_t page_checksum(std::uint64_t file_id, storage::Tag tag, std::uint64_t page, std::uint32_t list,
                                   const std::byte* data) {
  unsigned char place[24];
  std::memcpy(place, &file_id, 8);
  std::memcpy(place + 8, &tag.value, 4);
  std::memcpy(place + 12, &page, 8);
  std::memcpy(place + 20, &list, 4);
  return core::crc32c(data, kPageBytes, core::crc32c(place, sizeof place));
}

// Where rows of one size lie.
class RowLayout {
 public:
  explicit constexpr RowLayout(std::size_t row_bytes)
      : stride_((row_bytes + 7) / 8 * 8), per_page_(kPageBytes / stride_) {
    if (kPageBytes - per_page_ * stride_ > kPageBytes / 16) per_page_ = 0;
  }

  // The byte of the section at which the row starts.
  constexpr std::uint64_t offset(std::uint64_t row) const {
    return per_page_ == 0 ? row * stride_ : row / per_page_ * kPageBytes + row % per_page_ * stride_;
  }
  constexpr std::uint64_t pages(std::uint64_t rows) const {
    return rows == 0 ? 0 : page_count(offset(rows - 1) + stride_);
  }

 private:
  std::size_t stride_;
  std::size_t per_page_;  // 0: rows follow each other across pages
};

}  // namespace hopspan::spann::pages
