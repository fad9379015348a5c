#include <algorithm>
#include <stdexcept>

#include "storage/container.h"
#include "storage/container_format.h"

namespace hopspan::storage {
namespace {

constexpr std::size_t kWriteBytes = 8 * kBlockBytes;  // in one call to the system

}  // namespace

ContainerWriter::ContainerWriter(WritableFile& file, std::uint64_t file_id) : file_(file), file_id_(file_id) {
  ByteWriter header;
  header.bytes(kHeaderMagic, kMagicBytes);
  header.u32(kFormatVersion);
  header.u32(0);  // incompatible features
  header.u32(0);  // compatible features
  header.u32(0);
  header.u64(file_id);
  const unsigned char reserved[28] = {};
  header.bytes(reserved, sizeof reserved);
  header.u32(core::crc32c(header.data(), header.size()));
  put(header.data(), header.size());
}

void ContainerWriter::begin(Tag tag) {
  if (open_) throw std::logic_error("section " + tag.text() + " begins inside " + sections_.back().tag.text());
  const bool known = std::any_of(sections_.begin(), sections_.end(),
                                 [tag](const Section& section) { return section.tag.value == tag.value; });
  if (known) throw std::logic_error("two sections " + tag.text());
  if (sections_.size() == kMaxSections) throw std::logic_error("too many sections");
  sections_.push_back({tag, 0, 0, 0, {}});
  open_ = true;
}

void ContainerWriter::append(const void* data, std::size_t n) {
  if (!open_) throw std::logic_error("bytes outside a section");
  const std::byte* from = static_cast<const std::byte*>(data);
  sections_.back().size += n;
  while (n != 0) {
    std::size_t part;
    if (pending_.empty() && n >= kBlockBytes) {
      part = std::min(n / kBlockBytes * kBlockBytes, kWriteBytes);
      write_blocks(from, part);
    } else {
      part = std::min(n, kBlockBytes - pending_.size());
      pending_.insert(pending_.end(), from, from + part);
      if (pending_.size() == kBlockBytes) write_pending();
    }
    from += part;
    n -= part;
  }
}

void ContainerWriter::end() {
  write_pending();
  open_ = false;
}

void ContainerWriter::write_pending() {
  if (pending_.empty()) return;
  write_blocks(pending_.data(), pending_.size());
  pending_.clear();
}

// The first bytes are a whole block unless the section is no longer than they are: their number settles its alignment.
void ContainerWriter::write_blocks(const std::byte* data, std::size_t n) {
  Section& section = sections_.back();
  if (section.checksums.empty()) {
    const std::byte zeros[kPageBytes] = {};
    put(zeros, gap_before(n, offset_));
  }
  for (std::size_t done = 0; done < n; done += kBlockBytes) {
    section.checksums.push_back(
        block_checksum(file_id_, section.tag, section.checksums.size(), data + done, std::min(n - done, kBlockBytes)));
  }
  put(data, n);
}

void ContainerWriter::finish() {
  if (open_) throw std::logic_error("section " + sections_.back().tag.text() + " has no end");
  ByteWriter table;
  for (const Section& section : sections_) {
    table.u32(section.tag.value);
    table.u64(section.size);
    table.bytes(section.checksums.data(), section.checksums.size() * kChecksumBytes);
  }
  ByteWriter footer;
  footer.bytes(kFooterMagic, kMagicBytes);
  footer.u64(file_id_);
  footer.u64(offset_);
  footer.u32(table_checksum(file_id_, table.data(), table.size()));
  footer.u32(core::crc32c(footer.data(), footer.size()));
  put(table.data(), table.size());
  put(footer.data(), footer.size());
}

void ContainerWriter::put(const void* data, std::size_t n) {
  if (n != 0) file_.append(data, n);
  offset_ += n;
}

}  // namespace hopspan::storage
