// Planted bugs that turn these tests red, each tried on its own: ids of one block alone, and no look at ids that are
// too large.
#include <cstdint>
#include <cstring>
#include <vector>

#include "index/row_ids.h"
#include "storage/container_bytes.h"
#include "test.h"

using hopspan::CorruptIndexError;
using hopspan::index::RowIds;
using hopspan::test::Bytes;

namespace {

RowIds read(const std::vector<std::int64_t>& ids, std::size_t size) {
  Bytes section(ids.size() * sizeof(std::int64_t));
  std::memcpy(section.data(), ids.data(), section.size());
  const Bytes file = hopspan::test::container_bytes(1, {{"IDS ", section}});
  return RowIds(hopspan::test::open_bytes(file), size);
}

std::vector<std::int64_t> reversed(std::size_t count) {
  std::vector<std::int64_t> ids;
  for (std::size_t i = 0; i < count; ++i) ids.push_back(static_cast<std::int64_t>(count - 1 - i));
  return ids;
}

}  // namespace

TEST(row_ids_are_found_both_ways) {
  constexpr std::size_t kCount = 20000;  // more than a block
  const RowIds ids = read(reversed(kCount), kCount);
  for (std::uint32_t slot = 0; slot < kCount; slot += 977) {
    CHECK_EQUAL(ids.id(slot), static_cast<std::int64_t>(kCount - 1 - slot));
    CHECK_EQUAL(ids.find(ids.id(slot)).value(), slot);
  }
  CHECK(!ids.find(-1));
  CHECK(!ids.find(kCount));
  ids.check();
}

TEST(row_ids_that_cannot_be_are_damage) {
  CHECK_THROWS(CorruptIndexError, "has id 3", read({0, 1, 3}, 3));
  CHECK_THROWS(CorruptIndexError, "has id -1", read({0, -1, 2}, 3));
  CHECK_THROWS(CorruptIndexError, "24 bytes for 4 vectors", read({0, 1, 2}, 4));
  CHECK_THROWS(CorruptIndexError, "id 1 occurs twice", read({0, 1, 1}, 3).check());
}
