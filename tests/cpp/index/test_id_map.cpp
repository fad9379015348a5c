#include <cstdint>
#include <limits>
#include <vector>

#include "core/random.h"
#include "hopspan/error.h"
#include "index/id_map.h"
#include "test.h"

namespace {

using namespace hopspan;
using index::IdMap;

constexpr std::int64_t kMaxId = std::numeric_limits<std::int64_t>::max();

void append(IdMap& map, const std::vector<std::int64_t>& ids) { map.append(ids.data(), ids.size()); }

// Ids by slot, or an empty list when find does not agree with id.
std::vector<std::int64_t> listed(const IdMap& map) {
  std::vector<std::int64_t> ids;
  for (std::uint32_t slot = 0; slot < map.size(); ++slot) {
    ids.push_back(map.id(slot));
    if (map.find(ids.back()) != slot) return {};
  }
  return ids;
}

using Ids = std::vector<std::int64_t>;

}  // namespace

TEST(index_id_map_gives_the_next_free_ids) {
  IdMap map;
  map.append(nullptr, 3);
  CHECK(map.identity() && listed(map) == (Ids{0, 1, 2}));
  append(map, {10, 4});
  map.append(nullptr, 2);
  CHECK(!map.identity() && listed(map) == (Ids{0, 1, 2, 10, 4, 11, 12}));
  CHECK_EQUAL(map.next_id(), std::uint64_t{13});
}

TEST(index_id_map_stores_nothing_while_ids_are_slots) {
  IdMap map;
  append(map, {0, 1});
  append(map, {2});
  CHECK(map.identity() && map.bytes() == 0 && listed(map) == (Ids{0, 1, 2}));
  CHECK(!map.find(3) && !map.find(-1));
}

TEST(index_id_map_finds_every_id_and_no_other) {
  IdMap map;
  Ids all;
  for (std::size_t batch = 0; batch < 40; ++batch) {
    Ids some;
    for (std::size_t i = 0; i < batch * 3; ++i)
      some.push_back(static_cast<std::int64_t>(core::random_u64(batch, i) >> 1));
    append(map, some);
    all.insert(all.end(), some.begin(), some.end());
  }
  CHECK(listed(map) == all);
  for (std::size_t i = 0; i < 1000; ++i) CHECK(!map.find(static_cast<std::int64_t>(core::random_u64(99, i) >> 1)));
  map.check();
}

TEST(index_id_map_refuses_bad_ids_and_stays_as_it_was) {
  IdMap map;
  const auto refuse = [&](const Ids& ids, const char* message) {
    const Ids before = listed(map);
    const bool identity = map.identity();
    CHECK_THROWS(InvalidArgument, message, append(map, ids));
    CHECK(listed(map) == before && map.identity() == identity && map.size() == before.size());
    for (const std::int64_t id : {20, 21, 22}) CHECK(!map.find(id));
  };
  map.append(nullptr, 3);
  refuse({20, 21, -5}, "id -5 (row 2) is negative");
  refuse({20, 21, 20}, "id 20 is given twice (rows 0 and 2)");
  refuse({3, 4, 1}, "id 1 is already in the index (row 2)");
  append(map, {7});
  refuse({20, 7}, "id 7 is already in the index (row 1); replacing is not supported yet");
  refuse({20, 21, 22, 21}, "id 21 is given twice (rows 1 and 3)");
  const std::size_t bytes = map.bytes();
  for (std::int64_t id = 100; id < 200; ++id) refuse({id, 7}, "id 7 is already");
  CHECK_EQUAL(map.bytes(), bytes);
  append(map, {20, 21, 22});
  CHECK(listed(map) == (Ids{0, 1, 2, 7, 20, 21, 22}));
}

TEST(index_id_map_ends_at_the_largest_id) {
  IdMap map;
  append(map, {kMaxId - 2});
  CHECK_THROWS(InvalidArgument, "would pass the largest id, 9223372036854775807", map.append(nullptr, 3));
  map.append(nullptr, 2);
  CHECK(listed(map) == (Ids{kMaxId - 2, kMaxId - 1, kMaxId}));
  map.append(nullptr, 0);
  CHECK_THROWS(InvalidArgument, "the index holds id 9223372036854775807", map.append(nullptr, 1));
  map.check();
}

TEST(index_id_map_undoes_the_latest_append) {
  IdMap map;
  map.append(nullptr, 4);
  append(map, {9, 8});
  map.undo_append();
  CHECK(map.identity() && map.bytes() == 0 && listed(map) == (Ids{0, 1, 2, 3}));
  append(map, {9});
  for (std::size_t count : {1, 5, 1000}) {
    Ids more;
    for (std::size_t i = 0; i < count; ++i) more.push_back(static_cast<std::int64_t>(100 + 7 * i));
    append(map, more);
    map.undo_append();
    CHECK(listed(map) == (Ids{0, 1, 2, 3, 9}) && map.next_id() == 10);
    for (const std::int64_t id : more) CHECK(!map.find(id));
  }
  map.append(nullptr, 1);
  CHECK(listed(map) == (Ids{0, 1, 2, 3, 9, 10}));
}

TEST(index_id_map_over_stored_ids) {
  const auto map_of = [](const Ids& ids, std::uint64_t next_id) {
    return IdMap(core::Array<std::int64_t>::view(ids.data(), ids.size(), std::make_shared<int>()), next_id);
  };
  const Ids good{5, 2, 9};
  IdMap map = map_of(good, 10);
  CHECK(map.ids().mapped() && map.find(2) == 1u && !map.find(3));
  CHECK(map.ids().mapped());
  map.check();
  append(map, {3});
  CHECK(listed(map) == (Ids{5, 2, 9, 3}) && good == (Ids{5, 2, 9}));
  CHECK_THROWS(CorruptIndexError, "id 5 of slot 2 is the id of slot 0 too", map_of({5, 2, 5}, 6).check());
  CHECK_THROWS(CorruptIndexError, "id -1 of slot 1 is negative", map_of({5, -1, 9}, 10).check());
  CHECK_THROWS(CorruptIndexError, "the ids end at 9, not at 11", map_of({5, 2, 9}, 12).check());
}
