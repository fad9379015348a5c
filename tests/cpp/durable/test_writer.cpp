#include <atomic>
#include <cmath>
#include <thread>

#include "durable/ledger.h"
#include "faults/fault_env.h"
#include "storage/temporary_folder.h"

#if !defined(_WIN32)
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace {

using namespace hopspan;
using durable::Reader;
using durable::Writer;
using faults::FaultEnv;
using test::kFolder;
using test::Ledger;
using test::make_vectors;
using test::open_writer;

}  // namespace

TEST(writer_makes_an_index_and_finds_it_again) {
  FaultEnv env;
  Ledger ledger;
  {
    const auto writer = open_writer(env);
    for (int i = 0; i < 9; ++i) ledger.change(*writer);
    CHECK_EQUAL(writer->recovery().records, 0u);
    writer->check(true);
  }
  OpenOptions options;
  options.mode = OpenMode::kAppend;
  Writer writer(env, kFolder, options);
  ledger.check_all(writer);
  CHECK_EQUAL(writer.recovery().records, 9u);
  CHECK_EQUAL(writer.recovery().dropped_bytes, 0u);
  CHECK_EQUAL(writer.recovery().snapshot_vectors, 0u);
  CHECK_EQUAL(env.names().size(), 4u);  // the folder, manifest, snapshot and log
}

TEST(writer_gives_the_ids_that_an_index_gives) {
  FaultEnv env;
  const auto writer = open_writer(env);
  Index index(*test::appending().create);
  const auto data = make_vectors(DType::kFloat32, 4, 3, 1);
  const std::int64_t own[] = {50, 40};
  CHECK(writer->add(data.view(), nullptr, {}) == index.add(data.view()));
  CHECK(writer->add(data.slice(0, 2), own, {}) == index.add(data.slice(0, 2), own));
  CHECK(writer->add(data.view(), nullptr, {}) == index.add(data.view()));
  CHECK(writer->add(data.slice(0, 0), nullptr, {}).empty());
  CHECK(writer->to_bytes() == index.to_bytes());
}

TEST(writer_logs_nothing_of_what_is_refused_and_voids_what_fails) {
  FaultEnv env;
  auto writer = open_writer(env);
  Ledger ledger;
  ledger.add(*writer);
  const std::uint64_t before = writer->stats().log->log_bytes;
  test::Vectors data = make_vectors(DType::kFloat32, 2, 3, 1);
  data.floats[4] = NAN;
  CHECK_THROWS(InvalidArgument, "row 1", writer->add(data.view(), nullptr, {}));
  CHECK_EQUAL(writer->stats().log->log_bytes, before);
  data.floats[4] = 1;
  const std::int64_t known[] = {100, 100};
  CHECK_THROWS(InvalidArgument, "100", writer->add(data.view(), known, {}));
  CHECK(writer->stats().log->log_bytes > before);
  ledger.add(*writer);
  writer->check(true);
  writer.reset();
  writer = open_writer(env);
  ledger.check_all(*writer);
  CHECK_EQUAL(writer->recovery().records, 2u);
}

TEST(writer_compacts_into_a_snapshot_and_an_empty_log) {
  FaultEnv env;
  auto writer = open_writer(env);
  Ledger ledger;
  for (int i = 0; i < 9; ++i) ledger.change(*writer);
  writer->compact();
  CHECK_EQUAL(writer->stats().log->log_bytes, 64u);
  CHECK_EQUAL(env.names().size(), 4u);
  writer->check(true);
  ledger.change(*writer);
  writer.reset();
  writer = open_writer(env);
  ledger.check_all(*writer);
  CHECK_EQUAL(writer->recovery().records, 1u);
}

TEST(writer_compacts_by_itself_when_the_log_has_grown) {
  FaultEnv env;
  OpenOptions options = test::appending();
  options.create->dim = 1000;
  options.compact_share = 0.5;
  Writer writer(env, kFolder, options);
  std::uint64_t most = 0, snapshots = 0;
  for (int i = 0; i < 40; ++i) {
    writer.add(make_vectors(DType::kFloat32, 250, 1000, static_cast<std::uint64_t>(i)).view(), nullptr, {});
    const LogStats log = *writer.stats().log;
    snapshots += log.log_bytes == 64;
    most = std::max(most, log.log_bytes);
  }
  CHECK_EQUAL(snapshots, 2u);
  CHECK(most > (15u << 20) && most < (18u << 20));
}

TEST(writer_goes_on_when_it_cannot_compact) {
  FaultEnv env;
  OpenOptions options = test::appending();
  options.create->dim = 1000;
  Writer writer(env, kFolder, options);
  const auto data = make_vectors(DType::kFloat32, 4300, 1000, 1);
  env.fail_at(env.operations() + 5, ENOSPC);  // four writes and a sync come first
  writer.add(data.view(), nullptr, {});
  CHECK(writer.stats().log->compaction_error.find("No space") != std::string::npos);
  writer.add(data.slice(0, 10), nullptr, {});
  writer.check(true);
  writer.compact();
  CHECK(writer.stats().log->compaction_error.empty());
  CHECK_EQUAL(writer.size(), 4310u);
}

TEST(writer_refuses_other_options) {
  FaultEnv env;
  open_writer(env)->close();
  const auto refused = [&](const char* part, auto&& change) {
    OpenOptions options = test::appending();
    change(*options.create);
    CHECK_THROWS(InvalidArgument, part, Writer(env, kFolder, options));
  };
  refused("made with dim 3, not 4", [](IndexOptions& options) { options.dim = 4; });
  refused("made with metric l2, not ip", [](IndexOptions& options) { options.metric = Metric::kIp; });
  refused("made with kind flat, not hnsw", [](IndexOptions& options) { options.kind = Kind::kHnsw; });
  refused("made with dtype float32, not int8", [](IndexOptions& options) { options.dtype = DType::kInt8; });
  refused("made with seed 7, not 8", [](IndexOptions& options) { options.seed = 8; });
  CHECK_EQUAL(open_writer(env)->size(), 0u);
}

TEST(writer_finds_damage_of_its_files) {
  FaultEnv env;
  Ledger ledger;
  const auto writer = open_writer(env);
  ledger.add(*writer);
  ledger.add(*writer);
  for (const std::string& name : env.names()) {
    if (name == "there/index") continue;
    const faults::Bytes good = env.bytes(name);
    faults::Bytes bad = good;
    bad[name.find("log") == std::string::npos ? bad.size() / 2 : 70] ^= std::byte{1};
    env.put(name, bad);
    CHECK_THROWS(CorruptIndexError, name.substr(12), writer->check(false));
    CHECK_THROWS(CorruptIndexError, name.substr(12), Reader(env, kFolder, 1));
    env.put(name, good);
  }
  writer->check(true);
}

TEST(writer_is_alone) {
  FaultEnv env;
  auto writer = open_writer(env);
  CHECK_THROWS(LockedError, "open for writing", open_writer(env));
  writer->close();
  CHECK_THROWS(InvalidArgument, "the index is closed", writer->contains(1));
  CHECK_THROWS(InvalidArgument, "the index is closed", writer->flush());
  CHECK_THROWS(InvalidArgument, "the index is closed", writer->compact());
  CHECK_THROWS(InvalidArgument, "the index is closed", writer->stats());
  const auto other = open_writer(env);
  writer->close();
  writer.reset();
  CHECK_THROWS(LockedError, "open for writing", open_writer(env));
}

TEST(writer_of_a_folder_of_something_else_is_refused) {
  FaultEnv env;
  env.put("there/index", {});
  CHECK_THROWS(IoError, "there/index", open_writer(env));
  FaultEnv full;
  full.put("there/index/notes.txt", {});
  CHECK_THROWS(InvalidArgument, "notes.txt", open_writer(full));
  FaultEnv none;
  OpenOptions options;
  options.mode = OpenMode::kAppend;
  CHECK_THROWS(IoError, "there/index", Writer(none, kFolder, options));
  CHECK_EQUAL(none.names().size(), 0u);
}

TEST(writer_serves_many_threads) {
  const TemporaryFolder folder;
  for (const bool sync : {true, false}) {
    const auto path = folder.path() / (sync ? "synced" : "unsynced");
    OpenOptions options = test::appending(sync);
    std::vector<std::vector<std::int64_t>> ids(4);
    std::atomic<int> missing{0};
    {
      Writer writer(storage::Env::system(), path, options, std::chrono::milliseconds(1));
      std::vector<std::thread> threads;
      for (std::size_t t = 0; t < ids.size(); ++t) {
        threads.emplace_back([&, t] {
          const auto data = make_vectors(DType::kFloat32, 30, 3, t);
          for (std::size_t i = 0; i < 30; ++i) {
            ids[t].push_back(writer.add(data.slice(i, 1), nullptr, {}).at(0));
            missing += !writer.contains(ids[t].back());
            if (i == 10 && t == 0) writer.compact();
          }
        });
      }
      for (std::thread& thread : threads) thread.join();
      CHECK_EQUAL(missing.load(), 0);
      writer.check(true);
    }
    const Reader reader(storage::Env::system(), path, 1);
    CHECK_EQUAL(reader.size(), 120u);
    for (std::size_t t = 0; t < ids.size(); ++t) {
      const auto data = make_vectors(DType::kFloat32, 30, 3, t);
      std::vector<float> stored(data.floats.size());
      reader.get(ids[t].data(), ids[t].size(), stored.data());
      CHECK(stored == data.floats);
    }
  }
}

TEST(writer_is_not_for_a_forked_child) {
#if !defined(_WIN32)
  const TemporaryFolder folder;
  const auto path = folder.path() / "index";
  Ledger ledger;
  auto writer = std::make_unique<Writer>(storage::Env::system(), path, test::appending(false));
  ledger.add(*writer);
  const pid_t child = fork();
  if (child == 0) {
    int status = 1;
    try {
      writer->contains(0);
    } catch (const Error& error) {
      status = std::string(error.what()).find("parent of this process") == std::string::npos;
    }
    const Reader reader(storage::Env::system(), path, 1);
    writer.reset();
    _exit(status + static_cast<int>(reader.size() != 1));
  }
  int status = 1;
  CHECK_EQUAL(waitpid(child, &status, 0), child);
  CHECK_EQUAL(status, 0);
  CHECK_THROWS(LockedError, "process ", Writer(storage::Env::system(), path, test::appending()));
  ledger.add(*writer);
  writer->close();
  ledger.check_all(Reader(storage::Env::system(), path, 1));
#endif
}
