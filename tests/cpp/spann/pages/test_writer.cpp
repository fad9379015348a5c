// The bytes that docs/file-format.md promises.
#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "faults/fault_env.h"
#include "spann/pages/paged_file.h"
#include "spann/pages/writer.h"
#include "storage/atomic_file.h"
#include "test.h"

using hopspan::spann::pages::kPageBytes;
using hopspan::spann::pages::page_checksum;
using hopspan::spann::pages::RowLayout;
using hopspan::storage::ContainerReader;
using hopspan::storage::MemoryFile;
using hopspan::storage::Tag;
using hopspan::test::Bytes;
using hopspan::test::kPagedFileId;
using hopspan::test::make_paged;
using hopspan::test::Paged;
using hopspan::test::paged_bytes;

namespace {

Bytes section(const ContainerReader& reader, Tag tag) {
  Bytes bytes(reader.size(tag));
  reader.read(tag, 0, bytes.data(), bytes.size());
  return bytes;
}

std::uint32_t number(const Bytes& bytes, std::size_t i) {
  std::uint32_t value;
  std::memcpy(&value, bytes.data() + i * 4, 4);
  return value;
}

void pad(Bytes& bytes) { bytes.resize((bytes.size() + kPageBytes - 1) / kPageBytes * kPageBytes); }

}  // namespace

TEST(lists_start_at_pages_under_checksums_of_their_own) {
  const Paged paged = make_paged(40, 0, 0);
  const Bytes file = paged_bytes(paged);
  const ContainerReader reader(std::make_shared<MemoryFile>("file", file.data(), file.size()));
  CHECK_EQUAL(reader.find("LST3").offset % kPageBytes, 0u);
  const Bytes pages = section(reader, "LST3");
  const Bytes sums = section(reader, "LSUM");
  const Bytes directory = section(reader, "LDIR");
  CHECK_EQUAL(directory.size(), 40u * 4);
  CHECK_EQUAL(sums.size(), pages.size() / kPageBytes * 4);
  std::size_t page = 0;
  for (std::uint32_t i = 0; i < 40; ++i) {
    CHECK_EQUAL(number(directory, i), paged.lists[i].size());
    Bytes expected = paged.lists[i];
    pad(expected);
    CHECK(std::equal(expected.begin(), expected.end(), pages.begin() + static_cast<std::ptrdiff_t>(page * kPageBytes)));
    for (const std::size_t end = page + expected.size() / kPageBytes; page < end; ++page) {
      CHECK_EQUAL(number(sums, page), page_checksum(kPagedFileId, "LST3", page, i, pages.data() + page * kPageBytes));
    }
  }
  CHECK_EQUAL(page * kPageBytes, pages.size());
}

TEST(rows_lie_where_their_layout_says) {
  for (const std::size_t row_bytes : {1, 8, 13, 404, 512, 516, 1200, 3072, 4096, 4100, 10000}) {
    const Paged paged = make_paged(0, 50, row_bytes);
    const Bytes file = paged_bytes(paged);
    const ContainerReader reader(std::make_shared<MemoryFile>("file", file.data(), file.size()));
    const Bytes pages = section(reader, "ROWS");
    const RowLayout layout(row_bytes);
    CHECK_EQUAL(pages.size(), layout.pages(50) * kPageBytes);
    std::uint64_t end = 0;
    for (std::size_t i = 0; i < 50; ++i) {
      const std::uint64_t at = layout.offset(i);
      CHECK(at >= end && at % 8 == 0);
      CHECK(std::all_of(pages.begin() + static_cast<std::ptrdiff_t>(end),
                        pages.begin() + static_cast<std::ptrdiff_t>(at),
                        [](std::byte byte) { return byte == std::byte{0}; }));
      CHECK(std::memcmp(pages.data() + at, paged.rows[i].data(), row_bytes) == 0);
      end = at + row_bytes;
    }
    const Bytes sums = section(reader, "RSUM");
    CHECK_EQUAL(sums.size() / 4, layout.pages(50));
    for (std::size_t page = 0; page < layout.pages(50); ++page) {
      CHECK_EQUAL(number(sums, page), page_checksum(kPagedFileId, "ROWS", page, 0, pages.data() + page * kPageBytes));
    }
  }
}

TEST(rows_stay_in_a_page_where_that_costs_little) {
  CHECK_EQUAL(RowLayout(404).offset(10), kPageBytes);  // 10 x 408 bytes
  CHECK_EQUAL(RowLayout(512).offset(8), kPageBytes);
  CHECK_EQUAL(RowLayout(3072).offset(1), 3072u);  // a page for each would leave a quarter free
  CHECK_EQUAL(RowLayout(3072).pages(4), 3u);
  CHECK_EQUAL(RowLayout(10000).offset(3), 30000u);
  CHECK_EQUAL(RowLayout(8).pages(0), 0u);
}

// The planted bug that turns it red: page_checksum without one of its parts.
TEST(page_checksum_depends_on_everything) {
  const Bytes page = hopspan::test::random_bytes(kPageBytes, 1);
  const std::uint32_t sum = page_checksum(1, "LST3", 2, 3, page.data());
  CHECK(sum != page_checksum(9, "LST3", 2, 3, page.data()));
  CHECK(sum != page_checksum(1, "ROWS", 2, 3, page.data()));
  CHECK(sum != page_checksum(1, "LST3", 9, 3, page.data()));
  CHECK(sum != page_checksum(1, "LST3", 2, 9, page.data()));
  Bytes other = page;
  other.back() ^= std::byte{1};
  CHECK(sum != page_checksum(1, "LST3", 2, 3, other.data()));
}

TEST(paged_file_is_whole_or_absent_after_a_power_cut_at_every_operation) {
  const Paged paged = make_paged(6, 20, 500);
  const Bytes whole = paged_bytes(paged);
  const auto save = [&](hopspan::storage::Env& env) {
    hopspan::storage::atomic_save(env, "index", [&](auto& file) { hopspan::test::write_paged(paged, file); });
  };
  std::size_t present = 0;
  hopspan::faults::for_each_power_cut([](auto&) {}, save,
                                      [&](hopspan::faults::FaultEnv& survivor, bool done) {
                                        CHECK(!done || survivor.has("index"));
                                        if (survivor.has("index")) CHECK(survivor.bytes("index") == whole);
                                        present += survivor.has("index");
                                      });
  CHECK(present > 0);
}

TEST(paged_file_on_a_full_disk_leaves_nothing) {
  const Paged paged = make_paged(6, 20, 500);
  const auto save = [&](hopspan::storage::Env& env) {
    hopspan::storage::atomic_save(env, "index", [&](auto& file) { hopspan::test::write_paged(paged, file); });
  };
  hopspan::faults::for_each_error(
      ENOSPC, [](auto&) {}, save,
      [&](hopspan::faults::FaultEnv& env, std::size_t) {
        CHECK(env.names().empty() || env.bytes("index") == paged_bytes(paged));
      });
}
