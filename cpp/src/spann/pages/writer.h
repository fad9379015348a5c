// Writes lists and rows as sections of pages into a container, in the order of their numbers and page by page: what it
// holds in memory is a page, and 4 bytes for each page and list.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "spann/pages/format.h"
#include "storage/container.h"

namespace hopspan::spann::pages {

// The pages of one region and their checksums.
class PageWriter {
 public:
  // Begins the section of pages.
  PageWriter(storage::ContainerWriter& writer, std::uint64_t file_id, Region region);

  // Fills pages; `list` is that of the page which gets the first of these bytes.
  void append(const void* data, std::size_t n, std::uint32_t list);
  // Fills the page that has been begun with zero bytes.
  void pad();
  std::size_t room() const noexcept { return kPageBytes - filled_; }
  // Ends the section and writes that of the checksums.
  void finish();

 private:
  void write_page();

  storage::ContainerWriter& writer_;
  std::uint64_t file_id_;
  Region region_;
  std::uint32_t list_ = 0;
  std::size_t filled_ = 0;
  std::byte page_[kPageBytes] = {};
  std::vector<std::uint32_t> checksums_;
};

class ListWriter {
 public:
  ListWriter(storage::ContainerWriter& writer, std::uint64_t file_id)
      : writer_(writer), pages_(writer, file_id, kLists) {}

  // The next list. Throws std::length_error for one of 4 GiB or more.
  void append(const void* list, std::size_t size);
  void finish();

 private:
  storage::ContainerWriter& writer_;
  PageWriter pages_;
  std::vector<std::uint32_t> sizes_;
};

class RowWriter {
 public:
  RowWriter(storage::ContainerWriter& writer, std::uint64_t file_id, std::size_t row_bytes)
      : row_bytes_(row_bytes), layout_(row_bytes), pages_(writer, file_id, kRows) {}

  // The next row, of row_bytes.
  void append(const void* row);
  void finish();

 private:
  std::size_t row_bytes_;
  RowLayout layout_;
  PageWriter pages_;
  std::uint64_t rows_ = 0;
  std::uint64_t written_ = 0;  // bytes of the section
};

}  // namespace hopspan::spann::pages
