#include <cstdint>
#include <limits>

#include "hopspan/error.h"
#include "storage/byte_reader.h"
#include "test.h"

using hopspan::CorruptIndexError;
using hopspan::storage::ByteReader;
using hopspan::storage::ByteWriter;

TEST(byte_reader_gives_back_what_was_written) {
  ByteWriter out;
  out.u8(200);
  out.u16(60000);
  out.u32(4000000000u);
  out.u64(std::numeric_limits<std::uint64_t>::max());
  out.i64(std::numeric_limits<std::int64_t>::min());
  out.f32(0.1f);
  out.f64(-0.1);
  out.count(2);
  out.bytes("ab", 2);
  ByteReader in(out.data(), out.size(), "numbers");
  CHECK_EQUAL(int{in.u8()}, 200);
  CHECK_EQUAL(in.u16(), 60000);
  CHECK_EQUAL(in.u32(), 4000000000u);
  CHECK_EQUAL(in.u64(), std::numeric_limits<std::uint64_t>::max());
  CHECK_EQUAL(in.i64(), std::numeric_limits<std::int64_t>::min());
  CHECK_EQUAL(in.f32(), 0.1f);
  CHECK_EQUAL(in.f64(), -0.1);
  CHECK_EQUAL(in.count(1), 2u);
  char text[3] = {};
  in.bytes(text, 2);
  CHECK_EQUAL(std::string(text), "ab");
  in.finish();
}

TEST(byte_reader_is_little_endian) {
  ByteWriter out;
  out.u32(0x01020304);
  CHECK(out.data()[0] == std::byte{4} && out.data()[3] == std::byte{1});
}

TEST(byte_reader_stops_at_the_end) {
  const unsigned char data[7] = {};
  for (std::size_t size = 0; size < 8; ++size) {
    ByteReader in(data, size < 7 ? size : 7, "numbers");
    CHECK_THROWS(CorruptIndexError, "numbers: 8 bytes at offset 0 reach past its end", in.u64());
    CHECK_EQUAL(in.remaining(), size < 7 ? size : 7);
  }
  ByteReader in(data, 7, "numbers");
  in.u32();
  CHECK_THROWS(CorruptIndexError, "numbers: 4 bytes at offset 4 reach past its end at 7", in.f32());
  char out[4];
  CHECK_THROWS(CorruptIndexError, "4 bytes at offset 4", in.bytes(out, 4));
  in.bytes(nullptr, 0);
}

TEST(byte_reader_bounds_a_count_by_the_bytes_that_follow) {
  for (const std::uint64_t count :
       {std::uint64_t{3}, std::uint64_t{1} << 62, std::numeric_limits<std::uint64_t>::max()}) {
    ByteWriter out;
    out.u64(count);
    out.f64(1.0);
    out.f64(2.0);
    ByteReader in(out.data(), out.size(), "numbers");
    CHECK_THROWS(CorruptIndexError, "numbers: " + std::to_string(count) + " elements of 8 bytes", in.count(8));
  }
  ByteWriter out;
  out.u64(2);
  out.f64(1.0);
  out.f64(2.0);
  ByteReader in(out.data(), out.size(), "numbers");
  CHECK_EQUAL(in.count(8), 2u);
}

TEST(byte_reader_reports_bytes_too_many) {
  const unsigned char data[5] = {};
  ByteReader in(data, 5, "numbers");
  in.u32();
  CHECK_THROWS(CorruptIndexError, "numbers: 1 bytes too many at offset 4", in.finish());
}
