#include <algorithm>
#include <sstream>

#include "storage/container.h"
#include "storage/container_format.h"

namespace hopspan::storage {
namespace {

std::string hex(std::uint32_t value) {
  std::ostringstream out;
  out << "0x" << std::hex << value;
  return out.str();
}

std::size_t smaller(std::uint64_t a, std::size_t b) { return a < b ? static_cast<std::size_t>(a) : b; }

std::size_t block_size(const Section& section, std::uint64_t block) {
  return smaller(section.size - block * kBlockBytes, kBlockBytes);
}

}  // namespace

std::string Tag::text() const {
  std::string out;
  for (int shift = 0; shift < 32; shift += 8) {
    const char c = static_cast<char>(value >> shift & 0xFF);
    out += c >= ' ' && c <= '~' ? c : '?';
  }
  return out;
}

ContainerReader::ContainerReader(std::shared_ptr<const RandomAccessFile> file) : file_(std::move(file)) {
  read_header();
  read_table();
}

void ContainerReader::corrupt(const std::string& what) const { throw CorruptIndexError(file_->name() + ": " + what); }

void ContainerReader::read_header() {
  std::byte bytes[kHeaderBytes];
  const std::size_t present = smaller(file_->size(), kHeaderBytes);
  file_->read(0, bytes, present);
  if (present < kMagicBytes || std::memcmp(bytes, kHeaderMagic, kMagicBytes) != 0) corrupt("not a hopspan file");
  if (present < kHeaderBytes) corrupt("ends within the header");
  ByteReader header(bytes + kMagicBytes, kHeaderBytes - kMagicBytes, file_->name() + ": header");
  const std::uint32_t version = header.u32();
  const std::uint32_t incompatible = header.u32();
  header.u64();  // compatible features and zero
  file_id_ = header.u64();
  std::uint32_t stored;
  std::memcpy(&stored, bytes + kHeaderBytes - kChecksumBytes, kChecksumBytes);
  if (!checksums_match(stored, core::crc32c(bytes, kHeaderBytes - kChecksumBytes))) corrupt("damaged header");
  if (version == 0 || version > kFormatVersion) {
    throw VersionError(file_->name() + ": format version " + std::to_string(version) + "; this release reads up to " +
                       std::to_string(kFormatVersion));
  }
  if ((incompatible & ~kKnownIncompatibleFeatures) != 0) {
    throw VersionError(file_->name() + ": needs features " + hex(incompatible & ~kKnownIncompatibleFeatures) +
                       ", which this release does not know");
  }
}

void ContainerReader::read_table() {
  if (file_->size() < kHeaderBytes + kFooterBytes) corrupt("ends before the footer");
  const std::uint64_t table_end = file_->size() - kFooterBytes;
  std::byte bytes[kFooterBytes];
  file_->read(table_end, bytes, kFooterBytes);
  if (std::memcmp(bytes, kFooterMagic, kMagicBytes) != 0) corrupt("cut short, or something follows its end");
  ByteReader footer(bytes + kMagicBytes, kFooterBytes - kMagicBytes, file_->name() + ": footer");
  const std::uint64_t file_id = footer.u64();
  const std::uint64_t table_begin = footer.u64();
  const std::uint32_t table_sum = footer.u32();
  if (!checksums_match(footer.u32(), core::crc32c(bytes, kFooterBytes - kChecksumBytes))) corrupt("damaged footer");
  if (file_id != file_id_) corrupt("header and footer are of different files");
  if (table_begin < kHeaderBytes || table_begin > table_end) corrupt("section table outside the file");

  std::vector<std::byte> stored(static_cast<std::size_t>(table_end - table_begin));
  file_->read(table_begin, stored.data(), stored.size());
  if (!checksums_match(table_sum, table_checksum(file_id_, stored.data(), stored.size()))) {
    corrupt("damaged section table");
  }
  ByteReader table(stored.data(), stored.size(), file_->name() + ": section table");
  std::uint64_t end = kHeaderBytes;
  while (table.remaining() != 0) {
    const Tag tag(table.u32());
    const std::uint64_t size = table.u64();
    const std::uint64_t gap = gap_before(size, end);
    if (has(tag)) corrupt("two sections " + tag.text());
    if (sections_.size() == kMaxSections) corrupt("more than " + std::to_string(kMaxSections) + " sections");
    if (gap > table_begin - end || size > table_begin - end - gap)
      corrupt("section " + tag.text() + " leaves the file");
    if (block_count(size) > table.remaining() / kChecksumBytes) corrupt("section " + tag.text() + " lacks checksums");
    std::vector<std::uint32_t> checksums(static_cast<std::size_t>(block_count(size)));
    table.bytes(checksums.data(), checksums.size() * kChecksumBytes);
    sections_.push_back({tag, end + gap, gap, size, std::move(checksums)});
    end += gap + size;
  }
  if (end != table_begin) corrupt("bytes between the last section and the section table");
}

bool ContainerReader::has(Tag tag) const noexcept {
  return std::any_of(sections_.begin(), sections_.end(),
                     [tag](const Section& section) { return section.tag.value == tag.value; });
}

const Section& ContainerReader::find(Tag tag) const {
  for (const Section& section : sections_) {
    if (section.tag.value == tag.value) return section;
  }
  corrupt("no section " + tag.text());
}

std::uint64_t ContainerReader::size(Tag tag) const { return find(tag).size; }

std::size_t ContainerReader::element_count(const Section& section, std::size_t element_bytes) const {
  if (section.size % element_bytes != 0) {
    corrupt("section " + section.tag.text() + " of " + std::to_string(section.size) +
            " bytes does not hold whole elements of " + std::to_string(element_bytes));
  }
  return static_cast<std::size_t>(section.size / element_bytes);
}

void ContainerReader::read(Tag tag, std::uint64_t offset, void* out, std::size_t n) const {
  const Section& section = find(tag);
  if (offset > section.size || n > section.size - offset) {
    corrupt("section " + tag.text() + " of " + std::to_string(section.size) + " bytes has no " + std::to_string(n) +
            " bytes at " + std::to_string(offset));
  }
  std::byte* to = static_cast<std::byte*>(out);
  std::vector<std::byte> partial;
  while (n != 0) {
    const std::uint64_t block = offset / kBlockBytes;
    const std::size_t skipped = static_cast<std::size_t>(offset % kBlockBytes);
    const std::size_t size = block_size(section, block);
    const std::size_t part = std::min(n, size - skipped);
    if (part == size) {
      read_block(section, block, to);
    } else {
      partial.resize(size);
      read_block(section, block, partial.data());
      std::memcpy(to, partial.data() + skipped, part);
    }
    to += part;
    offset += part;
    n -= part;
  }
}

// A block at a time: it is still in the cache when it is checked. Not through a mapping, where a bad sector would be a
// fatal signal and not an IoError.
void ContainerReader::read_block(const Section& section, std::uint64_t block, std::byte* out) const {
  const std::size_t n = block_size(section, block);
  const std::uint64_t offset = section.offset + block * kBlockBytes;
  if (block == 0) check_gap(section);
  file_->read(offset, out, n);
  if (!checksums_match(section.checksums[block], block_checksum(file_id_, section.tag, block, out, n))) {
    corrupt("section " + section.tag.text() + " is damaged in block " + std::to_string(block) + ", offset " +
            std::to_string(offset) + " of the file");
  }
}

void ContainerReader::check_gap(const Section& section) const {
  std::byte gap[kPageBytes];
  const std::size_t n = static_cast<std::size_t>(section.gap);
  file_->read(section.offset - n, gap, n);
  if (std::any_of(gap, gap + n, [](std::byte b) { return b != std::byte{0}; })) {
    corrupt("the bytes before section " + section.tag.text() + " are not zero");
  }
}

void ContainerReader::verify(const Section& section) const {
  std::vector<std::byte> block(smaller(section.size, kBlockBytes));
  for (std::uint64_t i = 0; i < section.checksums.size(); ++i) read_block(section, i, block.data());
}

void ContainerReader::verify(Tag tag) const { verify(find(tag)); }

// Header and table are read anew: they may have been damaged since they were opened.
void ContainerReader::verify() const {
  const ContainerReader now(file_);
  for (const Section& section : now.sections_) now.verify(section);
}

}  // namespace hopspan::storage
