#include <string>
#include <vector>

#include "core/crc32c.h"
#include "core/random.h"
#include "test.h"

using hopspan::core::crc32c;
using hopspan::core::crc32c_hardware;
using hopspan::core::crc32c_table;
using hopspan::core::Crc32cFn;

namespace {

std::vector<Crc32cFn> implementations() {
  std::vector<Crc32cFn> all = {crc32c_table(), crc32c};
  if (crc32c_hardware() != nullptr) all.push_back(crc32c_hardware());
  return all;
}

std::uint32_t one_bit_at_a_time(const unsigned char* data, std::size_t size) {
  std::uint32_t crc = ~0u;
  for (std::size_t i = 0; i < size; ++i) {
    crc ^= data[i];
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? 0x82F63B78u : 0);
  }
  return ~crc;
}

std::vector<unsigned char> random_bytes(std::size_t size) {
  std::vector<unsigned char> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<unsigned char>(hopspan::core::random_u64(7, i));
  return bytes;
}

}  // namespace

// RFC 3720, B.4, and the check value of the CRC catalogue.
TEST(crc32c_gives_the_known_values) {
  unsigned char ascending[32];
  unsigned char descending[32];
  for (unsigned char i = 0; i < 32; ++i) {
    ascending[i] = i;
    descending[i] = static_cast<unsigned char>(31 - i);
  }
  const std::vector<unsigned char> zeros(32, 0x00);
  const std::vector<unsigned char> ones(32, 0xFF);
  for (const Crc32cFn crc : implementations()) {
    CHECK_EQUAL(crc("", 0, 0), 0u);
    CHECK_EQUAL(crc("123456789", 9, 0), 0xE3069283u);
    CHECK_EQUAL(crc(zeros.data(), 32, 0), 0x8A9136AAu);
    CHECK_EQUAL(crc(ones.data(), 32, 0), 0x62A8AB43u);
    CHECK_EQUAL(crc(ascending, 32, 0), 0x46DD794Eu);
    CHECK_EQUAL(crc(descending, 32, 0), 0x113FDB5Cu);
  }
}

TEST(crc32c_agrees_with_its_definition_for_every_length_and_offset) {
  const std::vector<unsigned char> bytes = random_bytes(2000);
  for (const Crc32cFn crc : implementations()) {
    for (std::size_t size = 0; size < 1700; size += size < 100 ? 1 : 13) {
      for (std::size_t offset = 0; offset < 9; ++offset) {
        CHECK_EQUAL(crc(bytes.data() + offset, size, 0), one_bit_at_a_time(bytes.data() + offset, size));
      }
    }
  }
}

TEST(crc32c_agrees_with_its_definition_for_long_runs) {
  const std::vector<unsigned char> bytes = random_bytes(70001);
  for (const Crc32cFn crc : implementations()) {
    for (const std::size_t size : {12287u, 12288u, 12289u, 24576u, 65536u, 70001u}) {
      CHECK_EQUAL(crc(bytes.data(), size, 0), one_bit_at_a_time(bytes.data(), size));
    }
  }
}

TEST(crc32c_of_parts_is_that_of_the_whole) {
  const std::vector<unsigned char> bytes = random_bytes(30000);
  for (const Crc32cFn crc : implementations()) {
    const std::uint32_t whole = crc(bytes.data(), bytes.size(), 0);
    for (const std::size_t split : {0u, 1u, 767u, 12288u, 29999u, 30000u}) {
      CHECK_EQUAL(crc(bytes.data() + split, bytes.size() - split, crc(bytes.data(), split, 0)), whole);
    }
  }
}
