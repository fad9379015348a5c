// The constants and checksums that the container's writer and reader share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/crc32c.h"
#include "storage/byte_reader.h"
#include "storage/container.h"

namespace hopspan::storage {

static_assert(sizeof(std::size_t) == 8, "sections are addressed with 64 bits");

inline constexpr char kHeaderMagic[] = "\x89HOPSPAN";
inline constexpr char kFooterMagic[] = "HOPSEND\x89";
inline constexpr std::size_t kMagicBytes = 8;
inline constexpr std::size_t kHeaderBytes = 64;
inline constexpr std::size_t kFooterBytes = 32;
inline constexpr std::size_t kChecksumBytes = 4;
inline constexpr std::size_t kPageBytes = 4096;
inline constexpr std::size_t kLineBytes = 64;

// Zero bytes between `end`, where the sections so far end, and a section of `size` bytes.
inline std::size_t gap_before(std::uint64_t size, std::uint64_t end) {
  if (size == 0) return 0;
  const std::size_t alignment = size < kPageBytes ? kLineBytes : kPageBytes;
  return static_cast<std::size_t>((alignment - end % alignment) % alignment);
}

inline std::uint64_t block_count(std::uint64_t size) { return size / kBlockBytes + (size % kBlockBytes != 0); }

inline std::uint32_t block_checksum(std::uint64_t file_id, Tag tag, std::uint64_t block, const void* data,
                                    std::size_t n) {
  unsigned char place[20];
  std::memcpy(place, &file_id, 8);
  std::memcpy(place + 8, &tag.value, 4);
  std::memcpy(place + 12, &block, 8);
  return core::crc32c(data, n, core::crc32c(place, sizeof place));
}

inline std::uint32_t table_checksum(std::uint64_t file_id, const void* table, std::size_t n) {
  return core::crc32c(table, n, core::crc32c(&file_id, sizeof file_id));
}

// Fuzzers get past the checksums in a build of their own.
inline bool checksums_match(std::uint32_t stored, std::uint32_t computed) {
#ifdef HOPSPAN_FUZZ_SKIP_CHECKSUMS
  (void)stored, (void)computed;
  return true;
#else
  return stored == computed;
#endif
}

}  // namespace hopspan::storage
