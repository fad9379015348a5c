// The file: named sections of bytes, every byte of it under a checksum. docs/file-format.md says it at more length.
//
// All numbers are little-endian; every checksum is CRC-32C (core/crc32c.h).
//
//   header, 64 bytes   magic "\x89HOPSPAN", u32 format version, u32 incompatible features, u32 compatible features,
//                      u32 zero, u64 file id, 28 zero bytes, u32 checksum of the 60 bytes before it
//   sections           each preceded by zero bytes up to a multiple of 4096 (of 64, when it is shorter than 4096 bytes;
//                      an empty section takes no room)
//   section table      for each section, in the order of the file: u32 tag, u64 size in bytes, and a u32 checksum for
//                      each block of 65,536 bytes (the last block may be shorter)
//   footer, 32 bytes   magic "HOPSEND\x89", u64 file id, u64 offset of the table, u32 checksum of file id and table,
//                      u32 checksum of the 28 bytes before it
//
// A block's checksum covers file id, section tag, block number and then the block. Where a section lies follows from
// the sizes of those before it, so sections cannot overlap. Its first block is checked with the zero bytes before it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/array.h"
#include "storage/env.h"

namespace hopspan::storage {

inline constexpr std::uint32_t kFormatVersion = 1;
inline constexpr std::uint32_t kKnownIncompatibleFeatures = 0;
inline constexpr std::size_t kBlockBytes = 65536;
inline constexpr std::size_t kMaxSections = 1024;

// A section's name: four characters.
struct Tag {
  constexpr Tag(const char (&name)[5])  // NOLINT: implicit on purpose
      : value(std::uint32_t(static_cast<unsigned char>(name[0])) |
              std::uint32_t(static_cast<unsigned char>(name[1])) << 8 |
              std::uint32_t(static_cast<unsigned char>(name[2])) << 16 |
              std::uint32_t(static_cast<unsigned char>(name[3])) << 24) {}
  constexpr explicit Tag(std::uint32_t stored) : value(stored) {}

  std::string text() const;  // printable, whatever the bytes

  std::uint32_t value;
};

// Where a section lies and what its blocks must sum to.
struct Section {
  Tag tag;
  std::uint64_t offset;
  std::uint64_t gap;  // zero bytes before it
  std::uint64_t size;
  std::vector<std::uint32_t> checksums;
};

// Streams a container into a file: begin, append, end for each section, then finish; any other order is a
// std::logic_error. The same sections under the same file id give the same bytes.
class ContainerWriter {
 public:
  // file_id: tells this content from any other; best a hash of it.
  ContainerWriter(WritableFile& file, std::uint64_t file_id);

  // Tags must differ.
  void begin(Tag tag);
  void append(const void* data, std::size_t n);
  void end();
  // A whole section.
  void write(Tag tag, const void* data, std::size_t n) {
    begin(tag);
    append(data, n);
    end();
  }
  // Writes table and footer. The file still has to be synced and closed.
  void finish();

 private:
  void write_pending();
  void write_blocks(const std::byte* data, std::size_t n);
  void put(const void* data, std::size_t n);

  WritableFile& file_;
  std::uint64_t file_id_;
  std::uint64_t offset_ = 0;
  std::vector<Section> sections_;
  bool open_ = false;               // the last section still grows
  std::vector<std::byte> pending_;  // its last bytes, always less than a block
};

// Reads a container. Opening it reads and checks header, footer and section table; the sections are checked as they are
// read. A CorruptIndexError names the file, the section and the block. Safe to use from any number of threads.
class ContainerReader {
 public:
  explicit ContainerReader(std::shared_ptr<const RandomAccessFile> file);

  const RandomAccessFile& file() const noexcept { return *file_; }
  std::uint64_t file_id() const noexcept { return file_id_; }
  const std::vector<Section>& sections() const noexcept { return sections_; }
  bool has(Tag tag) const noexcept;
  // This and all below throw CorruptIndexError when there is no such section.
  std::uint64_t size(Tag tag) const;
  const Section& find(Tag tag) const;

  // Copies bytes [offset, offset + n) of the section, checking every block that they touch.
  void read(Tag tag, std::uint64_t offset, void* out, std::size_t n) const;

  // The whole section: a view of the mapping, with its blocks checked now when `verify`, or else a checked copy.
  // Throws CorruptIndexError when its size is not a multiple of the element's.
  template <typename T>
  core::Array<T> array(Tag tag, bool verify) const;

  // Checks one section, or every byte of the file.
  void verify(Tag tag) const;
  void verify() const;

 private:
  void read_header();
  void read_table();
  std::size_t element_count(const Section& section, std::size_t element_bytes) const;
  void read_block(const Section& section, std::uint64_t block, std::byte* out) const;
  void check_gap(const Section& section) const;
  void verify(const Section& section) const;
  [[noreturn]] void corrupt(const std::string& what) const;

  std::shared_ptr<const RandomAccessFile> file_;
  std::uint64_t file_id_ = 0;
  std::vector<Section> sections_;
};

template <typename T>
core::Array<T> ContainerReader::array(Tag tag, bool verify) const {
  static_assert(alignof(T) <= 64);
  const Section& section = find(tag);
  const std::size_t count = element_count(section, sizeof(T));
  if (const std::byte* base = file_->map()) {
    if (verify) this->verify(section);
    return core::Array<T>::view(reinterpret_cast<const T*>(base + section.offset), count, file_);
  }
  core::Array<T> copy;
  copy.resize(count);
  read(tag, 0, copy.mutable_data(), section.size);
  return copy;
}

}  // namespace hopspan::storage
