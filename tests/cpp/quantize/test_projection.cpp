// What a projection makes of a row, its bytes, and what it refuses.
#include <cmath>
#include <cstring>

#include "hopspan/error.h"
#include "quantize/projection.h"
#include "quantize/rows.h"
#include "test.h"

namespace hopspan::quantize::test {
namespace {

constexpr std::size_t kIn = 90, kOut = 70;

Projection some_projection() { return {kIn, normal_values(kOut, kIn, 4)}; }

std::vector<float> applied(const Projection& projection, const std::vector<float>& row) {
  std::vector<float> out(projection.output_dim());
  projection.apply(row.data(), out.data());
  return out;
}

std::vector<std::byte> bytes_of(const Projection& projection) {
  storage::ByteWriter writer;
  projection.write(writer);
  return {writer.data(), writer.data() + writer.size()};
}

Projection read(std::size_t input_dim, const std::vector<std::byte>& bytes) {
  storage::ByteReader reader(bytes.data(), bytes.size(), "projection");
  return {input_dim, reader};
}

TEST(projection_multiplies_rows_by_its_directions) {
  const std::vector<float> directions = normal_values(kOut, kIn, 4), row = normal_values(1, kIn, 5);
  const std::vector<float> out = applied(some_projection(), row);
  CHECK_EQUAL(out.size(), kOut);
  for (std::size_t i = 0; i < kOut; ++i) {
    double sum = 0, size = 0;
    for (std::size_t j = 0; j < kIn; ++j) {
      sum += static_cast<double>(directions[i * kIn + j]) * row[j];
      size += std::fabs(static_cast<double>(directions[i * kIn + j]) * row[j]);
    }
    CHECK(std::fabs(out[i] - sum) <= size * 0x1p-10);  // float16
  }
}

TEST(projection_comes_back_from_its_bytes) {
  const std::vector<std::byte> bytes = bytes_of(some_projection());
  const Projection again = read(kIn, bytes);
  CHECK(bytes_of(again) == bytes);
  const std::vector<float> row = normal_values(1, kIn, 5);
  CHECK(applied(again, row) == applied(some_projection(), row));
}

TEST(projection_refuses_bytes_that_it_cannot_have_written) {
  const std::vector<std::byte> good = bytes_of(some_projection());
  for (std::size_t size = 0; size < good.size(); size += 97) {
    const std::vector<std::byte> cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK_THROWS(CorruptIndexError, "projection", read(kIn, cut));
  }
  CHECK_THROWS(CorruptIndexError, "6300 numbers for rows of 91", read(kIn + 1, good));
  CHECK_THROWS(CorruptIndexError, "6300 numbers for rows of 60", read(60, good));
  std::vector<std::byte> infinite = good;
  const std::uint16_t infinity = 0x7C00;
  std::memcpy(infinite.data() + infinite.size() - sizeof infinity, &infinity, sizeof infinity);
  CHECK_THROWS(CorruptIndexError, "finite", read(kIn, infinite));
}

}  // namespace
}  // namespace hopspan::quantize::test
