// An update log: numbered records at the end of a file, every byte of it under a checksum. docs/file-format.md says it
// at more length.
//
//   header, 64 bytes   magic "\x89HOPSLOG", u32 format version, u32 incompatible features, u32 compatible features,
//                      u32 zero, u64 folder, u64 number, u64 sequence number of the first record, 12 zero bytes,
//                      u32 checksum of the 60 bytes before it
//   record             u32 checksum of folder, number and offset of the record and the 36 bytes that follow,
//                      u32 checksum of the payload, u64 sequence number, u64 bytes of this log that were on the device
//                      when the record was written, u64 payload bytes, u8 type, 7 zero bytes; the payload; zero bytes
//                      up to a multiple of 8
//
// The third number tells damage from a torn tail: bytes that are known to have been on the device cannot be torn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/env.h"

namespace hopspan::storage {

inline constexpr std::size_t kLogHeaderBytes = 64;
inline constexpr std::size_t kRecordHeaderBytes = 40;

// Which log it is: a record of any other does not pass for one of its own.
struct LogName {
  std::uint64_t folder;
  std::uint64_t number;
};

struct Piece {
  const void* data;
  std::size_t size;
};

// Appends records. Nothing is durable before sync.
class LogWriter {
 public:
  // A new file.
  LogWriter(Env& env, const std::filesystem::path& path, LogName name, std::uint64_t first_sequence);
  // Goes on behind the records of a file of `end` bytes.
  LogWriter(Env& env, const std::filesystem::path& path, LogName name, std::uint64_t next_sequence, std::uint64_t end);

  // Returns the record's sequence number. synced: bytes of this log that are on the device. When it throws, part of the
  // record may be in the file until cut_back() has returned.
  std::uint64_t append(std::uint8_t type, std::initializer_list<Piece> payload, std::uint64_t synced);
  void cut_back() { file_->truncate(end_); }

  void sync() { file_->sync(); }
  void close() { file_->close(); }

  const std::filesystem::path& path() const noexcept { return path_; }
  std::uint64_t end() const noexcept { return end_; }
  std::uint64_t next_sequence() const noexcept { return next_sequence_; }

 private:
  std::filesystem::path path_;
  LogName name_;
  std::uint64_t next_sequence_;
  std::uint64_t end_;
  std::unique_ptr<WritableFile> file_;
};

struct LogRecord {
  std::uint64_t sequence;
  std::uint8_t type;
  const std::byte* payload;  // until the next call of next()
  std::size_t size;
};

// Reads records in order.
class LogReader {
 public:
  // synced: bytes that are known to be on the device. Throws CorruptIndexError unless the header is this log's.
  LogReader(std::shared_ptr<const RandomAccessFile> file, LogName name, std::uint64_t first_sequence,
            std::uint64_t synced);
  // Goes on where another reader of the same log stopped.
  void resume(std::uint64_t offset, std::uint64_t next_sequence) { offset_ = offset, next_sequence_ = next_sequence; }

  // Nothing at the end of what is whole, which may be before the end of the file: after a crash, or while the record is
  // being written. Throws CorruptIndexError when bytes that were on the device are not what was written.
  std::optional<LogRecord> next();

  std::uint64_t offset() const noexcept { return offset_; }  // behind the last record
  std::uint64_t next_sequence() const noexcept { return next_sequence_; }
  std::uint64_t rest() const noexcept { return file_->size() - offset_; }

 private:
  struct Header;

  void read_header(std::uint64_t first_sequence);
  std::optional<Header> header_at(std::uint64_t offset, const std::byte* bytes) const;
  std::optional<LogRecord> record_at_offset();
  const std::byte* bytes_at(std::uint64_t offset, std::size_t n);
  std::uint64_t known_synced() const;
  [[noreturn]] void corrupt(const std::string& what) const;

  std::shared_ptr<const RandomAccessFile> file_;
  LogName name_;
  std::uint64_t synced_;
  std::uint64_t offset_ = kLogHeaderBytes;
  std::uint64_t next_sequence_;
  std::vector<std::byte> window_;
  std::uint64_t window_start_ = 0;
};

}  // namespace hopspan::storage
