#include "core/crc32c.h"

#include <array>

namespace hopspan::core {
namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78u;  // bit-reflected

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

// tables[k][b]: the register after byte b and k zero bytes.
constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t b = 0; b < 256; ++b) {
    std::uint32_t crc = b;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? kPolynomial : 0);
    tables[0][b] = crc;
  }
  for (std::size_t k = 1; k < 8; ++k) {
    for (std::size_t b = 0; b < 256; ++b) {
      const std::uint32_t crc = tables[k - 1][b];
      tables[k][b] = (crc >> 8) ^ tables[0][crc & 255];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

std::uint32_t run_table(const void* data, std::size_t size, std::uint32_t before) {
  const unsigned char* p = static_cast<const unsigned char*>(data);
  std::uint32_t crc = ~before;
  for (; size >= 8; size -= 8, p += 8) {
    crc ^= std::uint32_t(p[0]) | std::uint32_t(p[1]) << 8 | std::uint32_t(p[2]) << 16 | std::uint32_t(p[3]) << 24;
    crc = kTables[7][crc & 255] ^ kTables[6][(crc >> 8) & 255] ^ kTables[5][(crc >> 16) & 255] ^ kTables[4][crc >> 24] ^
          kTables[3][p[4]] ^ kTables[2][p[5]] ^ kTables[1][p[6]] ^ kTables[0][p[7]];
  }
  for (; size != 0; --size) crc = (crc >> 8) ^ kTables[0][(crc ^ *p++) & 255];
  return ~crc;
}

}  // namespace

Crc32cFn crc32c_table() { return run_table; }

std::uint32_t crc32c(const void* data, std::size_t size, std::uint32_t before) {
  static const Crc32cFn best = crc32c_hardware() != nullptr ? crc32c_hardware() : run_table;
  return best(data, size, before);
}

}  // namespace hopspan::core
