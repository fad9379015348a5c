// Removing and replacing, on every kind that can: what is left is found, what is gone is not, and nothing changes when
// a call fails.
// Planted bugs that turn these tests red, each tried on its own: a search that does not look whether a slot has an id,
// a failed add without undo_write, a failed removal without restore.
#include <algorithm>
#include <map>
#include <stdexcept>
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
using test::search;
using test::Vectors;
using test::with_ef;

using Ids = std::vector<std::int64_t>;

constexpr Kind kAll[] = {Kind::kFlat, Kind::kHnsw, Kind::kSpann};

// Lists so short that changes cut and close some.
IndexOptions options_for(Kind kind, DType dtype = DType::kFloat32, Metric metric = Metric::kL2, std::size_t dim = 12) {
  IndexOptions options = test::options_for(kind, dtype, metric, dim);
  options.spann.list_bytes = 512;
  return options;
}

// Looks at so much that nothing is missed.
SearchOptions wide(const Store& store, std::size_t k, std::size_t effort) {
  SearchOptions options = with_ef(k, effort);
  if (store.options().kind == Kind::kSpann) options.nprobe.swap(options.ef);
  return options;
}

Store again(const Store& store, bool map) {
  const Bytes bytes = store.to_bytes();
  if (map) return Store(std::make_shared<test::MappedBytes>(bytes), false);
  return Store(std::make_shared<storage::MemoryFile>("index.hs", bytes.data(), bytes.size()), true);
}

std::size_t remove(Store& store, const Ids& ids) { return store.remove(ids.data(), ids.size(), {}); }

// Every stored vector finds itself, unless others are as near, and nothing but `held` is found.
void check_holds(const Store& store, const std::map<std::int64_t, std::size_t>& held, const Vectors& data) {
  CHECK_EQUAL(store.size(), held.size());
  CHECK_EQUAL(store.check(true).reachable, held.size());
  const auto found = search(store, data.view(), wide(store, 5, data.rows));
  for (const std::int64_t id : found.ids) CHECK(id == -1 || held.count(id) == 1);
  for (const auto& [id, row] : held) {
    CHECK(store.contains(id));
    CHECK_EQUAL(found.distances[row * 5], search(store, data.slice(row, 1), wide(store, 1, data.rows)).distances[0]);
  }
  for (std::size_t q = 0; q < data.rows; ++q) {
    for (std::size_t i = 0; i < 5; ++i) CHECK_EQUAL(found.ids[q * 5 + i] != -1, i < held.size());
  }
}

struct Cancelled : std::runtime_error {
  Cancelled() : std::runtime_error("cancelled") {}
};

}  // namespace

TEST(store_forgets_what_is_removed_and_uses_its_place_again) {
  for (const Kind kind : kAll) {
    for (const DType dtype : test::kDTypes) {
      for (const Metric metric : test::metrics_of(dtype)) {
        if (kind == Kind::kSpann && dtype == DType::kBinary) continue;
        const Vectors data = make_vectors(dtype, 120, 10, 3);
        Store store(options_for(kind, dtype, metric, 10));
        std::map<std::int64_t, std::size_t> held;
        store.add(data.slice(0, 90), nullptr, {});
        for (std::size_t row = 0; row < 90; ++row) held[static_cast<std::int64_t>(row)] = row;
        const Ids some{3, 89, 17, 3, 1000, 17};
        CHECK_EQUAL(remove(store, some), std::size_t{3});
        CHECK_EQUAL(remove(store, some), std::size_t{0});
        for (const std::int64_t id : some) held.erase(id);
        check_holds(store, held, data);
        store.add(data.slice(90, 30), nullptr, {});
        for (std::size_t row = 90; row < 120; ++row) held[static_cast<std::int64_t>(row)] = row;
        check_holds(store, held, data);
        const Ids replaced{5, 90, 119};
        store.add(data.slice(0, 3), replaced.data(), {});
        held[5] = 0, held[90] = 1, held[119] = 2;
        check_holds(store, held, data);
        Store loaded = again(store, false);
        check_holds(loaded, held, data);
        CHECK(loaded.to_bytes() == store.to_bytes());
      }
    }
  }
}

TEST(store_goes_on_alike_after_it_was_loaded) {
  const Vectors data = make_vectors(DType::kFloat32, 2000, 12, 4);
  for (const Kind kind : kAll) {
    for (const bool map : {false, true}) {
      Store store(options_for(kind));
      store.add(data.slice(0, 1500), nullptr, {});
      for (std::uint64_t round = 0; round < 5; ++round) {
        Ids ids;
        for (std::int64_t id = 0; id < 2000; ++id) {
          if (core::random_u64(round, static_cast<std::uint64_t>(id)) % (round % 2 == 0 ? 300 : 4) == 0)
            ids.push_back(id);
        }
        Store loaded = again(store, map);
        CHECK_EQUAL(remove(loaded, ids), remove(store, ids));
        CHECK(loaded.to_bytes() == store.to_bytes());
        Store more = again(store, map);
        for (Store* each : {&store, &more}) each->add(data.slice(1500, 100 * round), nullptr, {});
        CHECK(more.to_bytes() == store.to_bytes());
        more.check(true);
      }
    }
  }
}

TEST(store_remembers_how_many_were_replaced) {
  const Vectors data = make_vectors(DType::kFloat32, 2000, 12, 4);
  Store store(options_for(Kind::kHnsw));
  store.add(data.slice(0, 1600), nullptr, {});
  for (std::int64_t round = 0; round < 4; ++round) {
    Ids ids;
    for (std::int64_t id = 80 * round; id < 80 * (round + 1); ++id) ids.push_back(id);
    remove(store, ids);
    Store loaded = again(store, false);
    for (Store* each : {&store, &loaded}) each->add(data.slice(1600, 80), ids.data(), {});
    CHECK(loaded.to_bytes() == store.to_bytes());
  }
}

TEST(store_finds_k_of_the_living_among_many_removed) {
  constexpr std::size_t kRows = 6400, kDim = 12;
  Vectors data = make_vectors(DType::kFloat32, kRows, kDim, 5);
  for (std::size_t i = 0; i < 60 * kDim; ++i) data.floats[i] = 0.5f + data.floats[i] * 1e-3f;
  Store store(options_for(Kind::kHnsw));
  store.add(data.view(), nullptr, {});
  Ids ids;
  for (std::int64_t id = 0; id < 60; ++id) ids.push_back(id);  // all that lie around the middle
  CHECK_EQUAL(remove(store, ids), std::size_t{60});
  CHECK_EQUAL(store.stats().removed, std::size_t{60});
  const auto found = search(store, data.slice(0, 60), with_ef(20, 20));
  for (const std::int64_t id : found.ids) CHECK(id >= 60);
  store.check(true);
}

// As many as a sweep leaves, all in one place: a search must not stop at them.
TEST(store_finds_the_living_where_all_that_is_near_was_removed) {
  const Vectors data = make_vectors(DType::kFloat32, 3000, 12, 9);
  const MatrixView query = data.slice(0, 1);
  Store graph(options_for(Kind::kHnsw)), flat(options_for(Kind::kFlat));
  graph.add(data.view(), nullptr, {});
  flat.add(data.view(), nullptr, {});
  const Ids near = search(flat, query, with_ef(40, 40)).ids;
  remove(graph, near);
  remove(flat, near);
  CHECK_EQUAL(graph.stats().removed, near.size());
  const auto found = search(graph, query, with_ef(10, 20)), exact = search(flat, query, with_ef(10, 10));
  const auto is_true = [&](std::int64_t id) { return std::count(exact.ids.begin(), exact.ids.end(), id) != 0; };
  CHECK(std::count_if(found.ids.begin(), found.ids.end(), is_true) >= 8);
}

TEST(store_gives_the_memory_of_removed_vectors_back) {
  const Vectors data = make_vectors(DType::kFloat32, 4000, 12, 6);
  for (const Kind kind : kAll) {
    Store store(options_for(kind));
    store.add(data.view(), nullptr, {});
    const auto bytes = [&] {
      std::size_t sum = 0;
      for (const auto& [part, size] : store.stats().bytes) sum += size;
      return sum;
    };
    const std::size_t full = bytes();
    Ids ids;
    for (std::int64_t id = 0; id < 3000; ++id) ids.push_back(id);
    CHECK_EQUAL(remove(store, ids), std::size_t{3000});
    CHECK_EQUAL(store.stats().removed, std::size_t{0});
    CHECK(bytes() < full * 2 / 5);
    CHECK_EQUAL(store.check(true).reachable, std::size_t{1000});
    ids.clear();
    for (std::int64_t id = 3000; id < 4000; ++id) ids.push_back(id);
    remove(store, ids);
    CHECK(store.size() == 0 && store.check(true).vectors == 0 && bytes() < 4096);
    CHECK(again(store, true).to_bytes() == store.to_bytes());
    CHECK_EQUAL(store.add(data.slice(0, 2), nullptr, {})[0], std::int64_t{4000});
    CHECK_EQUAL(search(store, data.slice(1, 1), wide(store, 1, 2)).ids[0], std::int64_t{4001});
  }
}

TEST(store_does_not_grow_while_vectors_are_replaced) {
  const Vectors data = make_vectors(DType::kFloat32, 2000, 12, 7);
  for (const Kind kind : kAll) {
    Store store(options_for(kind));
    store.add(data.view(), nullptr, {});
    for (std::size_t round = 0; round < 60; ++round) {
      Ids ids(100);
      for (std::size_t i = 0; i < 100; ++i) ids[i] = static_cast<std::int64_t>((round * 100 + i) % 2000);
      store.add(data.slice(round % 19 * 100, 100), ids.data(), {});
      CHECK(store.size() == 2000 && store.stats().removed <= 200);
    }
    store.check(true);
  }
}

TEST(store_changes_nothing_when_a_change_fails) {
  const Vectors data = make_vectors(DType::kFloat32, 3000, 12, 8);
  for (const Kind kind : kAll) {
    Store store(options_for(kind));
    store.add(data.slice(0, 2000), nullptr, {});
    Ids gone;
    for (std::int64_t id = 0; id < 500; ++id) gone.push_back(id * 3);
    remove(store, gone);
    const Bytes before = store.to_bytes();
    Vectors bad = data;
    bad.floats[12 * 700 + 5] = std::numeric_limits<float>::quiet_NaN();
    CHECK_THROWS(InvalidArgument, "row 700", store.add(bad.slice(0, 800), nullptr, {}));
    CHECK(store.to_bytes() == before);
    const Ids negative{1999, 1998, -4};
    CHECK_THROWS(InvalidArgument, "id -4 (row 2) is negative", remove(store, negative));
    const Ids twice{1, 2, 1};
    CHECK_THROWS(InvalidArgument, "id 1 is given twice", store.add(data.slice(0, 3), twice.data(), {}));
    CHECK(store.to_bytes() == before);
    if (kind == Kind::kFlat) continue;
    AddOptions cancel;
    cancel.progress = [](std::size_t, std::size_t) { throw Cancelled(); };
    Ids ids(1000);
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int64_t>(1000 + i);
    CHECK_THROWS(Cancelled, "cancelled", store.add(data.slice(2000, 1000), ids.data(), cancel));
    CHECK(store.to_bytes() == before);
    CHECK_THROWS(Cancelled, "cancelled", store.remove(ids.data(), ids.size(), cancel));
    CHECK(store.to_bytes() == before);
    store.check(true);
  }
}

TEST(store_is_the_same_on_any_number_of_threads_after_changes) {
  const Vectors data = make_vectors(DType::kFloat32, 3000, 12, 10);
  for (const Kind kind : {Kind::kHnsw, Kind::kSpann}) {
    std::vector<Bytes> made;
    for (const std::size_t threads : {1, 2, 4}) {
      AddOptions how;
      how.threads = threads;
      Store store(options_for(kind));
      store.add(data.slice(0, 2500), nullptr, how);
      Ids ids;
      for (std::int64_t id = 0; id < 2500; id += 5) ids.push_back(id);
      store.remove(ids.data(), ids.size(), how);
      store.add(data.slice(2500, 500), ids.data(), how);
      made.push_back(store.to_bytes());
    }
    CHECK(made[0] == made[1] && made[0] == made[2]);
  }
}
