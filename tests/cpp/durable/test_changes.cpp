#include <algorithm>
#include <map>
#include <optional>

#include "durable/changes.h"
#include "faults/fault_env.h"
#include "index/results.h"
#include "test.h"

namespace {

using namespace hopspan;
using durable::log_add;
using durable::log_remove;
using durable::log_void;
using durable::Replay;
using faults::FaultEnv;
using storage::GroupLog;
using storage::LogReader;
using storage::LogRecord;
using storage::LogWriter;
using test::make_vectors;
using test::Vectors;

constexpr storage::LogName kName = {5, 6};

// A log and the index that its changes make.
struct Case {
  FaultEnv env;
  GroupLog log{LogWriter(env, "log", kName, 0), 0};

  // False when a record voided what had been made already.
  bool replay(index::Store& store) {
    LogReader reader(env.open("log", false), kName, 0, 0);
    Replay replay(store, 1, "log");
    while (const std::optional<LogRecord> record = reader.next()) {
      if (!replay.take(*record)) return false;
    }
    replay.finish();
    records = replay.records();
    vectors = replay.vectors();
    return true;
  }
  std::uint64_t records = 0;
  std::uint64_t vectors = 0;
};

}  // namespace

TEST(changes_of_every_element_type_come_back) {
  for (const Kind kind : test::kKinds) {
    for (const DType dtype : test::kDTypes) {
      for (const Metric metric : test::metrics_of(dtype)) {
        const IndexOptions options = test::options_for(kind, dtype, metric, 10);
        const Vectors data = make_vectors(dtype, 30, 10, 3);
        const std::vector<std::int64_t> ids = {7, 3, 9, 100, 4};
        Case written;
        log_add(written.log, data.slice(0, 5), ids.data());
        index::Store direct(options), replayed(options);
        direct.add(data.slice(0, 5), ids.data(), {});
        CHECK(written.replay(replayed));
        replayed.link_all({});
        CHECK(direct.to_bytes() == replayed.to_bytes());
        CHECK_EQUAL(written.vectors, 5u);
      }
    }
  }
}

TEST(changes_that_follow_each_other_become_one) {
  const IndexOptions options = test::options_for(Kind::kHnsw, 6);
  const Vectors data = make_vectors(DType::kFloat32, 50, 6, 4);
  std::vector<std::int64_t> ids(50);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int64_t>(i);
  Case written;
  for (std::size_t i = 0; i < 50; i += 5) log_add(written.log, data.slice(i, 5), ids.data() + i);
  index::Store together(options), replayed(options);
  together.add(data.view(), ids.data(), {});
  CHECK(written.replay(replayed));
  CHECK_EQUAL(replayed.pending(), 50u);
  replayed.link_all({});
  CHECK(together.to_bytes() == replayed.to_bytes());
  CHECK_EQUAL(written.records, 10u);
}

TEST(changes_of_one_id_are_made_in_order) {
  for (const Kind kind : {Kind::kHnsw, Kind::kFlat}) {
    const Vectors data = make_vectors(DType::kFloat32, 40, 3, 4);
    Case written;
    std::map<std::int64_t, std::size_t> expected;  // the row of each id
    for (std::size_t i = 0; i < 20; ++i) {
      const std::int64_t ids[] = {static_cast<std::int64_t>(i % 3), static_cast<std::int64_t>(i % 7 + 2)};
      if (i % 4 == 3) {
        log_remove(written.log, ids, 2);
        for (const std::int64_t id : ids) expected.erase(id);
      } else if (ids[0] != ids[1]) {
        log_add(written.log, data.slice(2 * i, 2), ids);
        for (std::size_t row = 0; row < 2; ++row) expected[ids[row]] = 2 * i + row;
      }
      index::Store store(test::options_for(kind, 3));
      CHECK(written.replay(store));
      CHECK_EQUAL(store.size(), expected.size());
      for (const auto& [id, row] : expected) {
        float stored[3];
        store.get(&id, 1, stored);
        CHECK(std::equal(stored, stored + 3, data.floats.data() + row * 3));
      }
      store.check(true);
    }
  }
}

TEST(changes_that_failed_are_left_out) {
  const Vectors data = make_vectors(DType::kFloat32, 6, 3, 5);
  const std::vector<std::int64_t> ids = {0, 1, 2, 3, 4, 5};
  Case written;
  log_add(written.log, data.slice(0, 2), ids.data());
  log_void(written.log, log_add(written.log, data.slice(2, 2), ids.data() + 2));
  log_add(written.log, data.slice(4, 2), ids.data() + 4);
  index::Store store(test::options_for(Kind::kFlat, 3));
  CHECK(written.replay(store));
  CHECK(store.contains(1) && !store.contains(2) && !store.contains(3) && store.contains(5));
  CHECK_EQUAL(written.records, 2u);
  log_void(written.log, log_remove(written.log, ids.data(), 6));
  log_remove(written.log, ids.data() + 4, 2);
  index::Store fewer(test::options_for(Kind::kFlat, 3));
  CHECK(written.replay(fewer));
  CHECK(fewer.contains(0) && fewer.contains(1) && fewer.size() == 2);
  CHECK_EQUAL(written.records, 3u);
  log_void(written.log, 1);
  index::Store other(test::options_for(Kind::kFlat, 3));
  CHECK_THROWS(CorruptIndexError, "voids another record", written.replay(other));
}

TEST(changes_voided_after_they_were_made_are_told) {
  const Vectors data = make_vectors(DType::kFloat32, 2, 3, 5);
  const std::int64_t ids[] = {0, 1};
  Case written;
  const std::uint64_t sequence = log_add(written.log, data.view(), ids);
  index::Store store(test::options_for(Kind::kFlat, 3));
  CHECK(written.replay(store));
  log_void(written.log, sequence);
  LogReader reader(written.env.open("log", false), kName, 0, 0);
  reader.next();
  Replay late(store, 1, "log");
  CHECK(!late.take(*reader.next()));
}

// With checksums that hold.
TEST(changes_that_do_not_fit_the_index_are_refused) {
  const Vectors data = make_vectors(DType::kFloat32, 2, 3, 6);
  const std::int64_t twice[] = {4, 4}, negative[] = {1, -1};
  const auto refused = [&](const char* part, auto&& write) {
    Case written;
    write(written.log);
    index::Store store(test::options_for(Kind::kFlat, 3));
    CHECK_THROWS(CorruptIndexError, part, written.replay(store));
    CHECK_EQUAL(store.size(), 0u);
  };
  refused("record 0: it cannot be made: ", [&](GroupLog& log) { log_add(log, data.view(), twice); });
  refused("record 0: it cannot be made: ", [&](GroupLog& log) { log_add(log, data.view(), negative); });
  refused("record 0: it cannot be made: ", [&](GroupLog& log) { log_remove(log, negative, 2); });
  refused("log: record 0", [&](GroupLog& log) { log.append(1, {{"short", 5}}); });
  refused("log: record 0", [&](GroupLog& log) { log.append(2, {{"short", 5}}); });
  const auto add = [](std::uint64_t dtype, std::uint64_t rows, std::size_t bytes) {
    return [=](GroupLog& log) {
      const std::uint64_t start[] = {dtype, rows};
      const std::vector<std::byte> rest(bytes);
      log.append(1, {{start, sizeof start}, {rest.data(), rest.size()}});
    };
  };
  const auto remove = [](std::uint64_t count, std::size_t bytes) {
    return [=](GroupLog& log) {
      const std::vector<std::byte> rest(bytes);
      log.append(2, {{&count, sizeof count}, {rest.data(), rest.size()}});
    };
  };
  refused("record 0", remove(2, 15));
  refused("record 0", remove(2, 17));
  refused("record 0", remove(std::uint64_t{1} << 61, 8));
  refused("element type", add(1, 1, 20));
  refused("element type", add(256, 1, 20));
  refused("record 0", add(0, 1, 19));
  refused("record 0", add(0, 1, 21));
  refused("record 0", add(0, std::uint64_t{1} << 62, 20));
  Case newer;
  newer.log.append(77, {{"?", 1}});
  index::Store store(test::options_for(Kind::kFlat, 3));
  CHECK_THROWS(VersionError, "of kind 77", newer.replay(store));
}
