// Containers as bytes, to be read from memory and damaged on purpose.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/buffer.h"
#include "core/random.h"
#include "storage/container.h"
#include "storage/container_format.h"
#include "storage/env.h"

namespace hopspan::test {

using Bytes = std::vector<std::byte>;
using Contents = std::vector<std::pair<storage::Tag, Bytes>>;

inline Bytes random_bytes(std::size_t size, std::uint64_t seed) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(core::random_u64(seed, i));
  return bytes;
}

inline void write_container(storage::WritableFile& file, std::uint64_t file_id, const Contents& contents) {
  storage::ContainerWriter writer(file, file_id);
  for (const auto& [tag, bytes] : contents) writer.write(tag, bytes.data(), bytes.size());
  writer.finish();
}

inline Bytes container_bytes(std::uint64_t file_id, const Contents& contents) {
  Bytes bytes;
  storage::MemoryWriter file(bytes);
  write_container(file, file_id, contents);
  return bytes;
}

// Makes the checksums of header, section table and footer right again after an edit; those of the blocks stay.
inline void seal(std::byte* file, std::size_t size) {
  using namespace storage;
  const std::uint32_t header = core::crc32c(file, kHeaderBytes - kChecksumBytes);
  std::memcpy(file + kHeaderBytes - kChecksumBytes, &header, kChecksumBytes);
  const std::uint64_t table_end = size - kFooterBytes;
  std::byte* footer = file + table_end;
  std::uint64_t file_id;
  std::uint64_t table_begin;
  std::memcpy(&file_id, footer + 8, 8);
  std::memcpy(&table_begin, footer + 16, 8);
  if (table_begin <= table_end) {
    const std::uint32_t table = table_checksum(file_id, file + table_begin, table_end - table_begin);
    std::memcpy(footer + 24, &table, kChecksumBytes);
  }
  const std::uint32_t sum = core::crc32c(footer, kFooterBytes - kChecksumBytes);
  std::memcpy(footer + kFooterBytes - kChecksumBytes, &sum, kChecksumBytes);
}

inline void seal(Bytes& file) { seal(file.data(), file.size()); }

// A file with this body and table after a right header.
inline Bytes container_with_table(const Bytes& body, const storage::ByteWriter& table) {
  Bytes file = container_bytes(1, {});
  const Bytes footer(file.end() - storage::kFooterBytes, file.end());
  file.resize(storage::kHeaderBytes);
  file.insert(file.end(), body.begin(), body.end());
  const std::uint64_t table_begin = file.size();
  file.insert(file.end(), table.data(), table.data() + table.size());
  file.insert(file.end(), footer.begin(), footer.end());
  std::memcpy(file.data() + file.size() - storage::kFooterBytes + 16, &table_begin, 8);
  seal(file);
  return file;
}

inline storage::ContainerReader open_bytes(const Bytes& file) {
  return storage::ContainerReader(std::make_shared<storage::MemoryFile>("index.hs", file.data(), file.size()));
}

// Bytes as a mapped file that counts what is read of it other than through the mapping.
class MappedBytes final : public storage::RandomAccessFile {
 public:
  explicit MappedBytes(const Bytes& bytes) : RandomAccessFile("mapped.hs"), bytes_(bytes.size()) {
    if (!bytes.empty()) std::memcpy(bytes_.data(), bytes.data(), bytes.size());
  }
  std::uint64_t size() const noexcept override { return bytes_.size(); }
  const std::byte* map() const noexcept override { return bytes_.data(); }
  void read(std::uint64_t offset, void* out, std::size_t n) const override {
    bytes_read += n;
    storage::MemoryFile(name(), bytes_.data(), bytes_.size()).read(offset, out, n);
  }

  mutable std::size_t bytes_read = 0;

 private:
  core::Buffer bytes_;
};

}  // namespace hopspan::test
