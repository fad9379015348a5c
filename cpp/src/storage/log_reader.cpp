#include <algorithm>
#include <cstring>

#include "hopspan/error.h"
#include "storage/byte_reader.h"
#include "storage/container_format.h"
#include "storage/log_format.h"

namespace hopspan::storage {

namespace {

constexpr std::size_t kWindow = std::size_t{1} << 20;  // bytes that are read at once

}  // namespace

struct LogReader::Header {
  std::uint32_t payload_checksum;
  std::uint64_t sequence;
  std::uint64_t synced;
  std::uint64_t size;
  std::uint8_t type;
};

LogReader::LogReader(std::shared_ptr<const RandomAccessFile> file, LogName name, std::uint64_t first_sequence,
                     std::uint64_t synced)
    : file_(std::move(file)), name_(name), synced_(synced), next_sequence_(first_sequence) {
  read_header(first_sequence);
}

void LogReader::read_header(std::uint64_t first_sequence) {
  std::byte bytes[kLogHeaderBytes];
  if (file_->size() < sizeof bytes) corrupt("it has " + std::to_string(file_->size()) + " bytes, too few for a log");
  file_->read(0, bytes, sizeof bytes);
  ByteReader header(bytes, sizeof bytes, file_->name());
  char magic[8];
  header.bytes(magic, sizeof magic);
  if (std::memcmp(magic, kLogMagic, sizeof magic) != 0) corrupt("it is not a hopspan log");
  const std::uint32_t version = header.u32();
  std::uint32_t checksum;
  std::memcpy(&checksum, bytes + sizeof bytes - 4, 4);
  if (!checksums_match(checksum, core::crc32c(bytes, sizeof bytes - 4))) corrupt("its header is damaged");
  if (version > kLogVersion) {
    throw VersionError(file_->name() + ": log format version " + std::to_string(version) +
                       "; this release reads versions up to " + std::to_string(kLogVersion));
  }
  const std::uint32_t incompatible = header.u32();
  if (incompatible != 0) {
    throw VersionError(file_->name() + ": log feature bits " + std::to_string(incompatible) +
                       " are unknown to this release");
  }
  header.u32();  // compatible features
  const bool padded = header.u32() == 0;
  if (header.u64() != name_.folder || header.u64() != name_.number) corrupt("it belongs to another index");
  if (header.u64() != first_sequence || version != kLogVersion || !padded) corrupt("its header is not what it must be");
}

std::optional<LogReader::Header> LogReader::header_at(std::uint64_t offset, const std::byte* bytes) const {
  ByteReader reader(bytes, kRecordHeaderBytes, file_->name());
  const std::uint32_t checksum = reader.u32();
  Header header;
  header.payload_checksum = reader.u32();
  header.sequence = reader.u64();
  header.synced = reader.u64();
  header.size = reader.u64();
  header.type = reader.u8();
  if (!checksums_match(checksum, record_checksum(name_, offset, bytes)) || header.synced > offset) return {};
  return header;
}

std::optional<LogRecord> LogReader::record_at_offset() {
  const std::uint64_t room = file_->size() - offset_;
  if (room < kRecordHeaderBytes) return {};
  const std::optional<Header> header = header_at(offset_, bytes_at(offset_, kRecordHeaderBytes));
  if (!header || header->size > room - kRecordHeaderBytes) return {};
  const std::size_t padding = record_padding(header->size);
  if (padding > room - kRecordHeaderBytes - header->size) return {};
  const std::size_t padded = static_cast<std::size_t>(header->size) + padding;
  const std::byte* payload = bytes_at(offset_ + kRecordHeaderBytes, padded);
  if (!checksums_match(header->payload_checksum, core::crc32c(payload, padded))) return {};
  if (header->sequence != next_sequence_) {
    corrupt("the record at offset " + std::to_string(offset_) + " has number " + std::to_string(header->sequence) +
            ", not " + std::to_string(next_sequence_));
  }
  offset_ += kRecordHeaderBytes + padded;
  ++next_sequence_;
  return LogRecord{header->sequence, header->type, payload, static_cast<std::size_t>(header->size)};
}

// n bytes of the file, valid until the next call. They must be there.
const std::byte* LogReader::bytes_at(std::uint64_t offset, std::size_t n) {
  if (offset < window_start_ || offset + n > window_start_ + window_.size()) {
    window_.resize(std::max(n, static_cast<std::size_t>(std::min<std::uint64_t>(kWindow, file_->size() - offset))));
    window_start_ = offset;
    file_->read(offset, window_.data(), window_.size());
  }
  return window_.data() + (offset - window_start_);
}

std::optional<LogRecord> LogReader::next() {
  if (std::optional<LogRecord> record = record_at_offset()) return record;
  const std::uint64_t synced = known_synced();
  if (synced > offset_) {
    corrupt("record " + std::to_string(next_sequence_) + " at offset " + std::to_string(offset_) +
            " is damaged: the first " + std::to_string(synced) + " bytes had been written safely");
  }
  return {};
}

// What any record behind a broken one knew to be on the device. Records start at multiples of kRecordAlignment.
std::uint64_t LogReader::known_synced() const {
  std::uint64_t known = synced_;
  std::vector<std::byte> bytes(65536);
  const std::uint64_t end = file_->size();
  for (std::uint64_t from = offset_; from < end && end - from >= kRecordHeaderBytes && known <= offset_;) {
    const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), end - from));
    file_->read(from, bytes.data(), n);
    std::size_t at = 0;
    for (; n - at >= kRecordHeaderBytes; at += kRecordAlignment) {
      if (const std::optional<Header> header = header_at(from + at, bytes.data() + at)) {
        known = std::max(known, header->synced);
      }
    }
    from += at;
  }
  return known;
}

void LogReader::corrupt(const std::string& what) const { throw CorruptIndexError(file_->name() + ": " + what); }

}  // namespace hopspan::storage
