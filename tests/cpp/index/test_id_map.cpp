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

using Ids = std::vector<std::int64_t>;
using Slots = IdMap::Slots;

// Ids by slot, or an empty list when find does not agree with id.
Ids listed(const IdMap& map) {
  Ids ids;
  for (std::uint32_t slot = 0; slot < map.size(); ++slot) {
    ids.push_back(map.id(slot));
    if (ids.back() == index::kNoId ? map.find(-1).has_value() : map.find(ids.back()) != slot) return {};
  }
  return ids;
}

// Gives ids to the slots from `first` on; null ids are the next free ones.
void assign(IdMap& map, const Slots& slots, const std::int64_t* ids) {
  map.holders(ids, slots.size());
  map.prepare_assign(slots, ids);
  map.assign(slots, ids);
}

Slots next_slots(const IdMap& map, std::size_t count) {
  Slots slots;
  for (std::size_t i = 0; i < count; ++i) slots.push_back(static_cast<std::uint32_t>(map.size() + i));
  return slots;
}

void append(IdMap& map, const Ids& ids) { assign(map, next_slots(map, ids.size()), ids.data()); }
void append_next(IdMap& map, std::size_t count) { assign(map, next_slots(map, count), nullptr); }

Ids erase(IdMap& map, const Slots& slots) {
  Ids ids(slots.size());
  map.prepare_erase();
  map.erase(slots, ids);
  return ids;
}

}  // namespace

TEST(index_id_map_gives_the_next_free_ids) {
  IdMap map;
  append_next(map, 3);
  CHECK(map.identity() && listed(map) == (Ids{0, 1, 2}));
  append(map, {10, 4});
  append_next(map, 2);
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
    const std::size_t bytes = map.bytes();
    CHECK_THROWS(InvalidArgument, message, append(map, ids));
    CHECK(listed(map) == before && map.identity() == identity && map.bytes() == bytes);
    for (const std::int64_t id : {20, 21, 22}) CHECK(!map.find(id));
  };
  append_next(map, 3);
  refuse({20, 21, -5}, "id -5 (row 2) is negative");
  refuse({20, 21, 20}, "id 20 is given twice (rows 0 and 2)");
  append(map, {7});
  refuse({20, 21, 22, 21}, "id 21 is given twice (rows 1 and 3)");
  refuse({20, 21, 22, 7, 8, 7}, "id 7 is given twice (rows 3 and 5)");
  append(map, {20, 21, 22});
  CHECK(listed(map) == (Ids{0, 1, 2, 7, 20, 21, 22}));
}

TEST(index_id_map_replaces_known_ids) {
  IdMap map;
  append_next(map, 4);
  const Ids ids{9, 2, 0};
  CHECK(map.holders(ids.data(), 3) == (Slots{0, 2}));
  append(map, ids);
  CHECK(listed(map) == (Ids{-1, 1, -1, 3, 9, 2, 0}) && map.live() == 5 && map.next_id() == 10);
  CHECK(map.holes() == (Slots{0, 2}));
  const Ids more{3, 50};
  assign(map, {0, 2}, more.data());
  CHECK(listed(map) == (Ids{3, 1, 50, -1, 9, 2, 0}) && map.live() == 6);
  map.check();
}

TEST(index_id_map_forgets_erased_ids_and_gives_them_to_no_other) {
  IdMap map;
  append_next(map, 5);
  CHECK(erase(map, {1, 4}) == (Ids{1, 4}));
  CHECK(listed(map) == (Ids{0, -1, 2, 3, -1}) && map.live() == 3 && !map.find(1) && !map.find(4));
  assign(map, {1, 5}, nullptr);
  CHECK(listed(map) == (Ids{0, 5, 2, 3, -1, 6}));
  erase(map, {0, 1, 2, 3, 5});
  map.prepare_keep({});
  map.keep();
  CHECK(map.size() == 0 && map.live() == 0);
  append_next(map, 2);
  CHECK(listed(map) == (Ids{7, 8}));
  map.check();
}

TEST(index_id_map_restores_what_was_erased) {
  IdMap map;
  append_next(map, 6);
  Ids ids = erase(map, {2, 3});
  map.restore({2, 3}, ids);
  CHECK(map.identity() && map.bytes() == 0 && listed(map) == (Ids{0, 1, 2, 3, 4, 5}));
  append(map, {40, 30});
  ids = erase(map, {0, 7});
  map.restore({0, 7}, ids);
  CHECK(!map.identity() && map.live() == 8 && listed(map) == (Ids{0, 1, 2, 3, 4, 5, 40, 30}));
}

TEST(index_id_map_erases_from_chains_of_equal_hashes) {
  IdMap map;
  Ids expected;
  for (std::size_t i = 0; i < 3000; ++i) expected.push_back(static_cast<std::int64_t>(core::random_u64(3, i) >> 1));
  append(map, expected);
  for (std::uint64_t round = 0; round < 8; ++round) {
    Slots slots;
    for (std::uint32_t slot = 0; slot < 3000; ++slot) {
      if (expected[slot] != index::kNoId && core::random_u64(round, slot) % 3 == 0) slots.push_back(slot);
    }
    const Ids gone = erase(map, slots);
    for (const std::uint32_t slot : slots) expected[slot] = index::kNoId;
    CHECK(listed(map) == expected);
    for (const std::int64_t id : gone) CHECK(!map.find(id));
  }
  Slots kept;
  Ids left;
  for (std::uint32_t slot = 0; slot < 3000; ++slot) {
    if (expected[slot] == index::kNoId) continue;
    kept.push_back(slot);
    left.push_back(expected[slot]);
  }
  map.prepare_keep(kept);
  map.keep();
  CHECK(listed(map) == left && map.live() == left.size());
}

TEST(index_id_map_ends_at_the_largest_id) {
  IdMap map;
  append(map, {kMaxId - 2});
  CHECK_THROWS(InvalidArgument, "would pass the largest id, 9223372036854775807", append_next(map, 3));
  append_next(map, 2);
  CHECK(listed(map) == (Ids{kMaxId - 2, kMaxId - 1, kMaxId}));
  append_next(map, 0);
  CHECK_THROWS(InvalidArgument, "the index has had id 9223372036854775807", append_next(map, 1));
  map.check();
}

TEST(index_id_map_abandons_what_was_prepared) {
  IdMap map;
  append_next(map, 4);
  const Ids ids{9, 8};
  map.prepare_assign({4, 5}, ids.data());
  CHECK(!map.find(9) && map.size() == 4);
  map.abandon();
  CHECK(map.identity() && map.bytes() == 0 && listed(map) == (Ids{0, 1, 2, 3}));
  append(map, {9});
  map.prepare_assign({5, 6}, nullptr);
  map.abandon();
  CHECK(listed(map) == (Ids{0, 1, 2, 3, 9}) && map.next_id() == 10);
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
  CHECK_THROWS(CorruptIndexError, "id 9 of slot 2 is not below 9", map_of({5, 2, 9}, 9).check());
  IdMap(core::Array<std::int64_t>::view(good.data(), 3, std::make_shared<int>()), 3, 12).check();
  const Ids holed{5, -1, 9};
  IdMap some(core::Array<std::int64_t>::view(holed.data(), 3, std::make_shared<int>()), 2, 12);
  some.check();
  CHECK(listed(some) == holed);
  IdMap wrong(core::Array<std::int64_t>::view(holed.data(), 3, std::make_shared<int>()), 1, 12);
  CHECK_THROWS(CorruptIndexError, "2 slots have an id, not 1", wrong.check());
}
