#include <cstring>

#include "storage/byte_reader.h"
#include "storage/log_format.h"

namespace hopspan::storage {
namespace {

constexpr std::size_t kTogether = 65536;  // records up to this size are written by one call
constexpr std::byte kZeros[kRecordAlignment] = {};

void write_header(WritableFile& file, LogName name, std::uint64_t first_sequence) {
  ByteWriter header;
  header.bytes(kLogMagic, 8);
  header.u32(kLogVersion);
  header.u32(0);
  header.u32(0);
  header.u32(0);
  header.u64(name.folder);
  header.u64(name.number);
  header.u64(first_sequence);
  for (int i = 0; i < 3; ++i) header.u32(0);
  header.u32(core::crc32c(header.data(), header.size()));
  file.append(header.data(), header.size());
}

}  // namespace

LogWriter::LogWriter(Env& env, const std::filesystem::path& path, LogName name, std::uint64_t first_sequence)
    : path_(path), name_(name), next_sequence_(first_sequence), end_(kLogHeaderBytes), file_(env.create(path)) {
  write_header(*file_, name, first_sequence);
}

LogWriter::LogWriter(Env& env, const std::filesystem::path& path, LogName name, std::uint64_t next_sequence,
                     std::uint64_t end)
    : path_(path), name_(name), next_sequence_(next_sequence), end_(end), file_(env.extend(path)) {}

std::uint64_t LogWriter::append(std::uint8_t type, std::initializer_list<Piece> payload, std::uint64_t synced) {
  std::uint64_t size = 0;
  std::uint32_t checksum = 0;
  for (const Piece& piece : payload) {
    size += piece.size;
    checksum = core::crc32c(piece.data, piece.size, checksum);
  }
  const std::size_t padding = record_padding(size);
  ByteWriter record;
  record.u32(0);
  record.u32(core::crc32c(kZeros, padding, checksum));
  record.u64(next_sequence_);
  record.u64(synced);
  record.u64(size);
  record.u64(type);
  const std::uint32_t own = record_checksum(name_, end_, record.data());
  std::vector<std::byte> start(record.data(), record.data() + record.size());
  std::memcpy(start.data(), &own, sizeof own);
  const bool together = size <= kTogether;
  const auto put = [&](const void* data, std::size_t n) {
    const std::byte* bytes = static_cast<const std::byte*>(data);
    if (together) {
      start.insert(start.end(), bytes, bytes + n);
    } else if (n != 0) {
      file_->append(data, n);
    }
  };
  if (!together) file_->append(start.data(), start.size());
  for (const Piece& piece : payload) put(piece.data, piece.size);
  put(kZeros, padding);
  if (together) file_->append(start.data(), start.size());
  end_ += kRecordHeaderBytes + size + padding;
  return next_sequence_++;
}

}  // namespace hopspan::storage
