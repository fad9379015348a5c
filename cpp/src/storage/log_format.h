// The constants and checksums that the log's writer and reader share.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/crc32c.h"
#include "storage/log.h"

namespace hopspan::storage {

inline constexpr char kLogMagic[] = "\x89HOPSLOG";
inline constexpr std::uint32_t kLogVersion = 1;
inline constexpr std::size_t kRecordAlignment = 8;

inline std::size_t record_padding(std::uint64_t payload) {
  return static_cast<std::size_t>((kRecordAlignment - payload % kRecordAlignment) % kRecordAlignment);
}

// header: the record's, of which the first four bytes are the checksum's own.
inline std::uint32_t record_checksum(LogName name, std::uint64_t offset, const std::byte* header) {
  const std::uint64_t place[] = {name.folder, name.number, offset};
  return core::crc32c(header + 4, kRecordHeaderBytes - 4, core::crc32c(place, sizeof place));
}

}  // namespace hopspan::storage
