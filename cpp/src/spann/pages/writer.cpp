#include "spann/pages/writer.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace hopspan::spann::pages {
namespace {

void write_numbers(storage::ContainerWriter& writer, storage::Tag tag, const std::vector<std::uint32_t>& numbers) {
  writer.begin(tag);
  writer.append(numbers.data(), numbers.size() * sizeof(std::uint32_t));
  writer.end();
}

}  // namespace

PageWriter::PageWriter(storage::ContainerWriter& writer, std::uint64_t file_id, Region region)
    : writer_(writer), file_id_(file_id), region_(region) {
  writer_.begin(region_.pages);
}

void PageWriter::append(const void* data, std::size_t n, std::uint32_t list) {
  const std::byte* from = static_cast<const std::byte*>(data);
  while (n != 0) {
    const std::size_t part = std::min(n, room());
    if (filled_ == 0) list_ = list;
    std::memcpy(page_ + filled_, from, part);
    filled_ += part;
    from += part;
    n -= part;
    if (filled_ == kPageBytes) write_page();
  }
}

void PageWriter::pad() {
  if (filled_ == 0) return;
  std::memset(page_ + filled_, 0, room());
  write_page();
}

void PageWriter::write_page() {
  checksums_.push_back(page_checksum(file_id_, region_.pages, checksums_.size(), list_, page_));
  writer_.append(page_, kPageBytes);
  filled_ = 0;
}

void PageWriter::finish() {
  pad();
  writer_.end();
  write_numbers(writer_, region_.checksums, checksums_);
}

void ListWriter::append(const void* list, std::size_t size) {
  if (size > std::numeric_limits<std::uint32_t>::max()) {
    throw std::length_error("a list of " + std::to_string(size) + " bytes");
  }
  pages_.append(list, size, static_cast<std::uint32_t>(sizes_.size()));
  pages_.pad();
  sizes_.push_back(static_cast<std::uint32_t>(size));
}

void ListWriter::finish() {
  pages_.finish();
  write_numbers(writer_, kDirectory, sizes_);
}

void RowWriter::append(const void* row) {
  const std::byte zeros[kPageBytes] = {};
  const std::uint64_t gap = layout_.offset(rows_) - written_;  // less than a page
  pages_.append(zeros, static_cast<std::size_t>(gap), 0);
  pages_.append(row, row_bytes_, 0);
  written_ += gap + row_bytes_;
  ++rows_;
}

void RowWriter::finish() { pages_.finish(); }

}  // namespace hopspan::spann::pages
