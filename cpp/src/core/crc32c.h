// CRC-32C (Castagnoli; RFC 3720), by the CPU's instruction where it has one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hopspan::core {

// The checksum of `data` after bytes whose checksum is `before`: crc32c(b, n, crc32c(a, m)) is that of a followed by b.
std::uint32_t crc32c(const void* data, std::size_t size, std::uint32_t before = 0);

// The two ways to compute it, which always agree.
using Crc32cFn = std::uint32_t (*)(const void* data, std::size_t size, std::uint32_t before);
Crc32cFn crc32c_table();
Crc32cFn crc32c_hardware();  // null when this CPU or build lacks the instruction

}  // namespace hopspan::core
