// Vectors that are in an index before they are linked.
// Planted bugs that turn these tests red, each tried on its own: a search does not look at what is pending; a file does
// not hold the list.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/random.h"
#include "index/results.h"
#include "index/store.h"
#include "storage/container_bytes.h"
#include "test.h"

namespace {

using namespace hopspan;
using index::Store;
using test::Bytes;
using test::make_vectors;
using test::options_for;
using test::search;
using test::Vectors;
using test::with_ef;
using Ids = std::vector<std::int64_t>;

Ids ids_from(std::int64_t first, std::size_t count) {
  Ids ids;
  for (std::size_t i = 0; i < count; ++i) ids.push_back(first + static_cast<std::int64_t>(i));
  return ids;
}

Store again(const Store& store) {
  const Bytes bytes = store.to_bytes();
  return Store(std::make_shared<storage::MemoryFile>("index", bytes.data(), bytes.size()), true);
}

// Both hold the same, and wide searches find what is as near.
void check_alike(const Store& store, const Store& exact, const Vectors& data) {
  CHECK_EQUAL(store.size(), exact.size());
  const CheckReport report = store.check(true);
  CHECK_EQUAL(report.reachable, exact.size());
  const SearchOptions wide = with_ef(7, data.rows);
  const auto found = search(store, data.slice(0, 40), wide), expected = search(exact, data.slice(0, 40), wide);
  for (std::size_t i = 0; i < found.ids.size(); ++i) {
    CHECK_EQUAL(found.ids[i] == -1, expected.ids[i] == -1);
    if (found.ids[i] == -1) continue;
    CHECK(exact.contains(found.ids[i]));
    CHECK(std::abs(found.distances[i] - expected.distances[i]) <= 1e-4F * (1 + std::abs(expected.distances[i])));
  }
}

struct Cancelled : std::runtime_error {
  Cancelled() : std::runtime_error("cancelled") {}
};

}  // namespace

TEST(store_finds_what_is_pending_at_once) {
  for (const DType dtype : test::kDTypes) {
    for (const Metric metric : test::metrics_of(dtype)) {
      const Vectors data = make_vectors(dtype, 300, 20, 3);
      for (const std::size_t linked : {0, 1, 200}) {
        Store store(options_for(Kind::kHnsw, dtype, metric, 20)), exact(options_for(Kind::kFlat, dtype, metric, 20));
        exact.add(data.view(), nullptr, {});
        store.add(data.slice(0, linked), nullptr, {});
        CHECK(store.add_pending(data.slice(linked, 50), nullptr, {}) ==
              ids_from(static_cast<std::int64_t>(linked), 50));
        store.add_pending(data.slice(linked + 50, 250 - linked), nullptr, {});
        CHECK_EQUAL(store.stats().pending, 300 - linked);
        check_alike(store, exact, data);
        const auto nearest = search(exact, data.view(), with_ef(1, 1)).ids;
        const auto found = search(store, data.view(), with_ef(1, 1)).ids;
        for (std::size_t row = 0; row < data.rows; ++row) {
          if (nearest[row] >= static_cast<std::int64_t>(linked)) CHECK_EQUAL(found[row], nearest[row]);
        }
      }
    }
  }
}

TEST(store_links_as_if_all_had_come_together) {
  const Vectors data = make_vectors(DType::kFloat32, 3000, 12, 4);
  for (const std::size_t linked : {0, 700, 1300}) {
    std::vector<Bytes> made;
    for (const std::size_t threads : {1, 3}) {
      for (const std::size_t step : {7, 512}) {
        AddOptions how;
        how.threads = threads;
        Store store(options_for(Kind::kHnsw));
        store.add(data.slice(0, linked), nullptr, how);
        std::size_t next = linked;
        while (next < 2900) {
          const std::size_t count = std::min<std::size_t>(step, 2900 - next);
          store.add_pending(data.slice(next, count), nullptr, how);
          next += count;
          if (step == 7) store.link_some(how);
        }
        while (store.link_some(how)) {
        }
        CHECK(store.pending() < Store::kLinkedTogether);
        store.link_all(how);
        CHECK_EQUAL(store.stats().pending, 0u);
        store.check(true);
        made.push_back(store.to_bytes());
      }
    }
    Store direct(options_for(Kind::kHnsw));
    direct.add(data.slice(0, linked), nullptr, {});
    for (std::size_t next = linked; next < 2900; next += 512) {
      direct.add(data.slice(next, std::min<std::size_t>(512, 2900 - next)), nullptr, {});
    }
    for (const Bytes& bytes : made) CHECK(bytes == direct.to_bytes());
  }
}

TEST(store_removes_and_replaces_what_is_pending) {
  for (const std::size_t most : {60, 1500}) {
    const Vectors data = make_vectors(DType::kFloat32, 2 * most, 6, 5);
    Store store(options_for(Kind::kHnsw, 6)), exact(options_for(Kind::kFlat, 6));
    std::uint64_t counter = 0;
    const auto draw = [&](std::size_t below) {
      return static_cast<std::size_t>(core::random_u64(most, counter++) % below);
    };
    for (int round = 0; round < 120; ++round) {
      Ids ids;
      const std::size_t count = 1 + draw(most / 10);
      for (std::size_t i = 0; i < count; ++i) ids.push_back(static_cast<std::int64_t>(draw(most)));
      std::sort(ids.begin(), ids.end());
      ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
      const MatrixView rows = data.slice(draw(most), ids.size());
      switch (draw(round % 20 < 10 ? 5 : 7)) {
        case 0:
          store.link_all({});
          break;
        case 1:
          CHECK(store.add(rows, ids.data(), {}) == exact.add(rows, ids.data(), {}));
          break;
        case 2:
        case 3:
          CHECK(store.add_pending(rows, ids.data(), {}) == exact.add(rows, ids.data(), {}));
          break;
        default:
          CHECK_EQUAL(store.remove(ids.data(), ids.size(), {}), exact.remove(ids.data(), ids.size(), {}));
      }
      check_alike(store, exact, data);
      check_alike(again(store), exact, data);
    }
  }
}

TEST(store_is_made_compact_around_what_is_pending) {
  const Vectors data = make_vectors(DType::kFloat32, 400, 12, 6);
  Store store(options_for(Kind::kHnsw)), exact(options_for(Kind::kFlat));
  for (Store* each : {&store, &exact}) {
    each->add(data.slice(0, 300), nullptr, {});
    each->add_pending(data.slice(300, 100), nullptr, {});
    const Ids ids = ids_from(0, 290);
    each->remove(ids.data(), ids.size(), {});
  }
  CHECK_EQUAL(store.stats().removed, 0u);
  CHECK_EQUAL(store.pending(), 100u);
  check_alike(store, exact, data);
  const Ids rest = ids_from(290, 10);
  for (Store* each : {&store, &exact}) each->remove(rest.data(), rest.size(), {});
  check_alike(store, exact, data);
  check_alike(again(store), exact, data);
  store.link_all({});
  check_alike(store, exact, data);
}

TEST(store_keeps_what_is_pending_in_its_file) {
  const Vectors data = make_vectors(DType::kFloat32, 2000, 12, 7);
  for (const std::size_t linked : {0, 1200}) {
    Store store(options_for(Kind::kHnsw));
    store.add(data.slice(0, linked), nullptr, {});
    store.add_pending(data.slice(linked, 700), nullptr, {});
    Store loaded = again(store);
    CHECK_EQUAL(loaded.pending(), 700u);
    CHECK(loaded.to_bytes() == store.to_bytes());
    for (Store* each : {&store, &loaded}) each->link_all({});
    CHECK(loaded.to_bytes() == store.to_bytes());
    CHECK(!test::open_bytes(store.to_bytes()).has("PEND"));
  }
}

TEST(store_links_before_it_adds_or_is_tuned) {
  const Vectors data = make_vectors(DType::kFloat32, 300, 12, 8);
  Store store(options_for(Kind::kHnsw));
  store.add_pending(data.slice(0, 100), nullptr, {});
  store.add(data.slice(100, 100), nullptr, {});
  CHECK_EQUAL(store.pending(), 0u);
  store.add_pending(data.slice(200, 100), nullptr, {});
  store.tune({nullptr, 0, 12, DType::kFloat32}, {});
  CHECK_EQUAL(store.pending(), 0u);
  CHECK_EQUAL(store.check(true).reachable, 300u);
}

TEST(store_is_searched_while_it_links) {
  const Vectors data = make_vectors(DType::kFloat32, 2400, 12, 9);
  Store store(options_for(Kind::kHnsw)), exact(options_for(Kind::kFlat));
  exact.add(data.view(), nullptr, {});
  store.add(data.slice(0, 1000), nullptr, {});
  store.add_pending(data.slice(1000, 1400), nullptr, {});
  const SearchOptions wide = with_ef(10, data.rows);
  const auto expected = search(exact, data.slice(990, 20), wide);
  std::size_t calls = 0;
  AddOptions options;
  options.threads = 1;
  options.progress = [&](std::size_t, std::size_t) {
    ++calls;
    CHECK(search(store, data.slice(990, 20), wide).ids == expected.ids);
  };
  while (store.link_some(options)) {
  }
  CHECK(calls > 2);
  CHECK_EQUAL(store.pending(), 376u);
}

TEST(store_is_as_it_was_when_linking_or_adding_fails) {
  const Vectors data = make_vectors(DType::kFloat32, 3000, 12, 10);
  for (const std::size_t linked : {0, 1000, 1900}) {
    Store store(options_for(Kind::kHnsw));
    store.add(data.slice(0, linked), nullptr, {});
    store.add_pending(data.slice(linked, 600), nullptr, {});
    const Bytes before = store.to_bytes();
    AddOptions failing;
    failing.progress = [](std::size_t, std::size_t) { throw Cancelled(); };
    CHECK_THROWS(Cancelled, "", store.link_some(failing));
    CHECK(store.to_bytes() == before);
    const Ids ids = ids_from(static_cast<std::int64_t>(linked + 500), 200);
    CHECK_THROWS(Cancelled, "", store.add_pending(data.slice(2700, 200), ids.data(), failing));
    CHECK(store.to_bytes() == before);
    Vectors bad = data;
    bad.floats[12 * 2750] = std::numeric_limits<float>::infinity();
    CHECK_THROWS(InvalidArgument, "row 50", store.add_pending(bad.slice(2700, 200), ids.data(), {}));
    CHECK(store.to_bytes() == before);
    if (linked != 0) {
      const Ids some = ids_from(static_cast<std::int64_t>(linked - 300), 600);
      CHECK_THROWS(Cancelled, "", store.remove(some.data(), some.size(), failing));
      CHECK(store.to_bytes() == before);
    }
    store.link_all({});
    store.check(true);
  }
}
