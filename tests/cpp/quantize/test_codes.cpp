// Rows of codes: layout, growth, and sizes that do not fit.
#include <cstring>

#include "hopspan/error.h"
#include "quantize/codes.h"
#include "test.h"

namespace hopspan::quantize::test {
namespace {

TEST(codes_fill_whole_cache_lines_where_that_costs_little) {
  const auto stride = [](std::size_t dim) { return CodeFormat{dim, Metric::kL2, 8}.stride(); };
  CHECK_EQUAL(stride(1), 16u);
  CHECK_EQUAL(stride(17), 32u);
  CHECK_EQUAL(stride(49), 64u);
  CHECK_EQUAL(stride(50), 64u);
  CHECK_EQUAL(stride(64), 64u);
  CHECK_EQUAL(stride(65), 80u);
  CHECK_EQUAL(stride(96), 96u);
  CHECK_EQUAL(stride(100), 128u);
  CHECK_EQUAL(stride(128), 128u);
  CHECK_EQUAL(stride(130), 144u);
  CHECK_EQUAL(stride(960), 960u);
  for (std::size_t dim : {1, 49, 100, 130, 960}) {
    CHECK_EQUAL((CodeFormat{2 * dim, Metric::kL2, 4}.stride()), stride(dim));
    CHECK_EQUAL((CodeFormat{2 * dim - 1, Metric::kL2, 4}.stride()), stride(dim));
  }
}

TEST(codes_grow_with_zeros_and_shrink) {
  Codes codes({20, Metric::kL2, 8});
  codes.resize(2);
  std::memset(codes.mutable_row(0), 7, codes.stride());
  std::memset(codes.mutable_row(1), 8, codes.stride());
  codes.resize(1);
  codes.resize(3);
  CHECK_EQUAL(codes.size(), 3u);
  CHECK(codes.row(0)[19] == std::byte{7});
  CHECK(codes.row(1)[0] == std::byte{0});
  CHECK(codes.row(2)[19] == std::byte{0});
}

TEST(codes_refuse_bytes_that_are_not_their_rows) {
  const CodeFormat format{20, Metric::kIp, 8};
  const auto open = [&](std::size_t bytes, std::size_t size) {
    core::Array<std::byte> rows;
    rows.resize(bytes);
    return Codes(format, std::move(rows), size);
  };
  CHECK_EQUAL(open(96, 3).size(), 3u);
  CHECK_EQUAL(open(0, 0).size(), 0u);
  CHECK_THROWS(CorruptIndexError, "96 bytes of codes are not 2 rows of 32 bytes", open(96, 2));
  CHECK_THROWS(CorruptIndexError, "97 bytes", open(97, 3));
  CHECK_THROWS(CorruptIndexError, "0 bytes", open(0, SIZE_MAX / 32 + 1));
}

}  // namespace
}  // namespace hopspan::quantize::test
