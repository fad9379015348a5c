// What a log leaves pending is found at once and linked beside everything else.
// Planted bug that turns these tests red: nothing links (they wait until their time is up).
#include <new>
#include <thread>

#include "durable/linker.h"
#include "durable/reader.h"
#include "durable/writer.h"
#include "faults/fault_env.h"
#include "index/results.h"
#include "storage/temporary_folder.h"
#include "test.h"

#if !defined(_WIN32)
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace {

using namespace hopspan;
using durable::Opened;
using durable::Reader;
using durable::Writer;
using faults::FaultEnv;
using index::Store;
using test::make_vectors;
using test::Vectors;

constexpr const char* kFolder = "index";
constexpr std::size_t kDim = 6;
constexpr std::size_t kCount = 3 * Store::kLinkedTogether + 100;
const SearchOptions kWide = test::with_ef(1, 2 * kCount);  // finds what is there, linked or not

OpenOptions appending(std::size_t threads = 1) {
  OpenOptions options;
  options.mode = OpenMode::kAppend;
  options.threads = threads;
  options.create = test::options_for(Kind::kHnsw, kDim);
  return options;
}

std::unique_ptr<Writer> open_writer(storage::Env& env, const std::filesystem::path& folder, std::size_t threads = 1) {
  return std::make_unique<Writer>(env, folder, appending(threads), std::chrono::milliseconds(0));
}

// A log of calls of ten vectors each.
void fill(storage::Env& env, const std::filesystem::path& folder, const Vectors& data) {
  const auto writer = open_writer(env, folder);
  AddOptions one;
  one.threads = 1;
  for (std::size_t row = 0; row < data.rows; row += 10) {
    writer->add(data.slice(row, std::min<std::size_t>(10, data.rows - row)), nullptr, one);
  }
}

bool finds_all(const Opened& index, const Vectors& data) {
  const auto found = test::search(index, data.view(), kWide);
  bool all = true;
  for (std::size_t row = 0; row < data.rows; ++row) {
    all = all && found.ids[row] == static_cast<std::int64_t>(row) && found.distances[row] == 0.0F;
  }
  return all;
}

void wait_until_linked(const Opened& index) {
  while (index.stats().pending >= Store::kLinkedTogether) std::this_thread::yield();
}

}  // namespace

TEST(linker_links_what_a_log_left_pending_and_everything_is_found_meanwhile) {
  const Vectors data = make_vectors(DType::kFloat32, kCount, kDim, 1);
  FaultEnv env;
  env.put("index/lock", {});
  fill(env, kFolder, data);
  const auto writer = open_writer(env, kFolder);
  const Reader reader(env, kFolder, 1);
  for (const Opened* index : {static_cast<const Opened*>(writer.get()), static_cast<const Opened*>(&reader)}) {
    CHECK(finds_all(*index, data));
    CHECK_EQUAL(index->check(true).reachable, kCount);
    wait_until_linked(*index);
    CHECK_EQUAL(index->stats().pending, 100u);
    CHECK(finds_all(*index, data));
    CHECK_EQUAL(index->check(true).reachable, kCount);
  }
}

TEST(linker_makes_the_same_graph_whenever_it_gets_to_it) {
  const Vectors data = make_vectors(DType::kFloat32, kCount, kDim, 2);
  FaultEnv env;
  env.put("index/lock", {});
  fill(env, kFolder, data);
  std::vector<std::vector<std::byte>> made;
  for (const bool wait : {false, true}) {
    for (const std::size_t threads : {1, 2}) {
      const auto writer = open_writer(env, kFolder, threads);
      Reader reader(env, kFolder, threads);
      if (wait) wait_until_linked(*writer), wait_until_linked(reader);
      made.push_back(writer->to_bytes());
      made.push_back(reader.to_bytes());
    }
  }
  for (const auto& bytes : made) CHECK(bytes == made[0]);
}

TEST(linker_goes_on_with_what_a_reader_takes_over) {
  const Vectors data = make_vectors(DType::kFloat32, kCount, kDim, 3);
  FaultEnv env;
  env.put("index/lock", {});
  open_writer(env, kFolder)->close();
  Reader reader(env, kFolder, 1);
  fill(env, kFolder, data);
  CHECK(reader.refresh());
  CHECK(finds_all(reader, data));
  wait_until_linked(reader);
  {
    const auto writer = open_writer(env, kFolder);
    const std::vector<std::int64_t> ids = {0, static_cast<std::int64_t>(kCount - 1)};
    CHECK_EQUAL(writer->remove(ids.data(), ids.size(), {}), 2u);
    for (std::size_t row = 0; row < Store::kLinkedTogether; ++row) writer->add(data.slice(row, 1), nullptr, {});
  }
  CHECK(reader.refresh());
  wait_until_linked(reader);
  CHECK(!reader.contains(0));
  CHECK_EQUAL(reader.check(true).reachable, kCount - 2 + Store::kLinkedTogether);
}

TEST(linker_tries_again_when_there_was_no_memory) {
  const Vectors data = make_vectors(DType::kFloat32, kCount, kDim, 4);
  Store store(test::options_for(Kind::kHnsw, kDim));
  store.add_pending(data.view(), nullptr, {});
  const auto before = store.to_bytes();
  AddOptions failing;
  failing.progress = [](std::size_t, std::size_t) { throw std::bad_alloc(); };
  CHECK(durable::link_some(store, failing).value() > std::chrono::milliseconds(0));
  CHECK(store.to_bytes() == before);
  CHECK(durable::link_some(store, {}).value() == std::chrono::milliseconds(0));
  CHECK_EQUAL(store.pending(), kCount - Store::kLinkedTogether);
  while (durable::link_some(store, {})) {
  }
  CHECK_EQUAL(store.pending(), 100u);
}

TEST(writer_links_when_enough_is_pending_and_large_calls_at_once) {
  const Vectors data = make_vectors(DType::kFloat32, kCount, kDim, 5);
  FaultEnv env;
  env.put("index/lock", {});
  const auto writer = open_writer(env, kFolder);
  for (std::size_t row = 0; row + 1 < Store::kLinkedTogether; ++row) writer->add(data.slice(row, 1), nullptr, {});
  CHECK_EQUAL(writer->stats().pending, Store::kLinkedTogether - 1);
  writer->add(data.slice(Store::kLinkedTogether - 1, 1), nullptr, {});
  CHECK_EQUAL(writer->stats().pending, 0u);
  writer->add(data.slice(Store::kLinkedTogether, 50), nullptr, {});
  CHECK_EQUAL(writer->stats().pending, 50u);
  writer->compact();
  CHECK_EQUAL(writer->stats().pending, 50u);
  const std::size_t next = Store::kLinkedTogether + 50;
  writer->add(data.slice(next, kCount - next), nullptr, {});
  CHECK_EQUAL(writer->stats().pending, 0u);
  CHECK(finds_all(*writer, data));
}

TEST(writer_with_pending_vectors_serves_many_threads) {
  const Vectors data = make_vectors(DType::kFloat32, kCount, kDim, 6);
  const Vectors passing = make_vectors(DType::kFloat32, kCount, kDim, 16);
  const TemporaryFolder folder;
  const auto path = folder.path() / "index";
  std::atomic<std::size_t> next{0};
  std::atomic<int> wrong{0};
  {
    const auto writer = open_writer(storage::Env::system(), path);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        AddOptions one;
        one.threads = 1;
        for (std::size_t row; (row = next++) < kCount;) {
          const std::int64_t id = static_cast<std::int64_t>(row), other = id + 10000;
          writer->add(data.slice(row, 1), &id, one);
          wrong += test::search(*writer, data.slice(row, 1), kWide).ids[0] != id;
          if (row % 5 != 0) continue;
          writer->add(passing.slice(row, 1), &other, one);
          writer->add(data.slice(row, 1), &id, one);
          wrong += writer->remove(&other, 1, one) != 1;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK_EQUAL(wrong.load(), 0);
    CHECK(writer->stats().pending < Store::kLinkedTogether);
    CHECK(finds_all(*writer, data));
    writer->check(true);
  }
  CHECK(finds_all(Reader(storage::Env::system(), path, 1), data));
}

TEST(reader_is_for_a_forked_child_while_it_links) {
#if !defined(_WIN32)
  const Vectors data = make_vectors(DType::kFloat32, kCount, kDim, 7);
  const TemporaryFolder folder;
  const auto path = folder.path() / "index";
  fill(storage::Env::system(), path, data);
  for (int round = 0; round < 8; ++round) {
    Reader reader(storage::Env::system(), path, 1);
    for (int turn = 0; turn < round * 100; ++turn) std::this_thread::yield();
    const pid_t child = fork();
    if (child == 0) {
      bool good = finds_all(reader, data);
      reader.refresh();
      wait_until_linked(reader);
      good = good && finds_all(reader, data);
      reader.close();
      _exit(good ? 0 : 1);
    }
    int status = 1;
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK_EQUAL(status, 0);
    CHECK(finds_all(reader, data));
  }
#endif
}
