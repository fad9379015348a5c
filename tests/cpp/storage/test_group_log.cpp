#include <atomic>
#include <cerrno>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "faults/fault_env.h"
#include "storage/group_log.h"
#include "storage/temporary_folder.h"
#include "test.h"

namespace {

using namespace hopspan::storage;
using hopspan::Error;
using hopspan::IoError;
using hopspan::faults::FaultEnv;

GroupLog make_log(Env& env, const std::filesystem::path& path) {
  LogWriter writer(env, path, {1, 2}, 0);
  writer.sync();
  return GroupLog(std::move(writer), kLogHeaderBytes);
}

std::size_t durable_records(const FaultEnv& env) {
  std::size_t least = SIZE_MAX;
  env.for_each_survivor([&](FaultEnv& survivor) {
    LogReader reader(survivor.open("log", false), {1, 2}, 0, kLogHeaderBytes);
    while (reader.next()) {
    }
    least = std::min<std::size_t>(least, reader.next_sequence());
  });
  return least;
}

class CountingEnv;

// A file that counts its syncs, and does something else meanwhile.
class Counting final : public WritableFile {
 public:
  Counting(std::unique_ptr<WritableFile> file, CountingEnv& env) : file_(std::move(file)), env_(env) {}
  void append(const void* data, std::size_t n) override { file_->append(data, n); }
  void sync() override;
  void truncate(std::uint64_t size) override { file_->truncate(size); }
  void close() override { file_->close(); }

 private:
  std::unique_ptr<WritableFile> file_;
  CountingEnv& env_;
};

class CountingEnv final : public Env {
 public:
  std::atomic<int> syncs{0};
  std::function<void()> during_sync = [] {};

  std::unique_ptr<RandomAccessFile> open(const std::filesystem::path& path, bool map) override {
    return system().open(path, map);
  }
  std::unique_ptr<WritableFile> create(const std::filesystem::path& path) override {
    return std::make_unique<Counting>(system().create(path), *this);
  }
  std::unique_ptr<WritableFile> extend(const std::filesystem::path& path) override { return system().extend(path); }
  void rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
    system().rename(from, to);
  }
  void remove(const std::filesystem::path& path) override { system().remove(path); }
  void sync_dir(const std::filesystem::path& folder) override { system().sync_dir(folder); }
  void create_folder(const std::filesystem::path& path) override { system().create_folder(path); }
  std::vector<std::string> list(const std::filesystem::path& folder) override { return system().list(folder); }
  std::unique_ptr<FileLock> lock(const std::filesystem::path& path) override { return system().lock(path); }
  FileKind kind(const std::filesystem::path& path) override { return system().kind(path); }
};

void Counting::sync() {
  ++env_.syncs;
  env_.during_sync();
  file_->sync();
}

}  // namespace

TEST(group_log_makes_durable_what_it_was_asked_to) {
  FaultEnv env;
  GroupLog log = make_log(env, "log");
  log.flush();
  env.sync_dir(".");
  CHECK_EQUAL(durable_records(env), 0u);
  const std::uint64_t first = log.append(1, {{"one", 3}});
  CHECK_EQUAL(log.append(1, {{"two", 3}}), first + 1);
  CHECK_EQUAL(durable_records(env), 0u);
  log.wait(first);
  CHECK_EQUAL(durable_records(env), 2u);
  const std::size_t operations = env.operations();
  log.wait(first + 1);
  CHECK_EQUAL(env.operations(), operations);
  log.append(1, {{"three", 5}});
  log.flush();
  CHECK_EQUAL(durable_records(env), 3u);
}

TEST(group_log_is_as_it_was_when_there_is_no_room) {
  FaultEnv env;
  GroupLog log = make_log(env, "log");
  log.append(1, {{"one", 3}});
  const std::uint64_t bytes = log.bytes();
  env.fail_at(env.operations(), ENOSPC);
  CHECK_THROWS(IoError, "write", log.append(1, {{"two", 3}}));
  CHECK_EQUAL(env.bytes("log").size(), bytes);
  log.check();
  log.append(1, {{"three", 5}});
  log.flush();
}

TEST(group_log_fails_for_good_when_a_sync_fails) {
  FaultEnv env;
  GroupLog log = make_log(env, "log");
  const std::uint64_t first = log.append(1, {{"one", 3}});
  log.wait(first);
  env.fail_at(env.operations() + 1, EIO);
  const std::uint64_t second = log.append(1, {{"two", 3}});
  CHECK_THROWS(IoError, "sync", log.wait(second));
  CHECK_THROWS(IoError, "sync", log.wait(second));
  log.wait(first);
  CHECK(log.failed());
  CHECK_THROWS(Error, "log: no more changes are taken since writing failed (", log.append(1, {{"three", 5}}));
  CHECK_THROWS(Error, "open the index again", log.flush());
}

TEST(group_log_syncs_again_for_what_came_during_a_sync) {
  const TemporaryFolder folder;
  CountingEnv env;
  GroupLog log = make_log(env, folder.path() / "log");
  const std::uint64_t first = log.append(1, {{"one", 3}});
  env.syncs = 0;
  env.during_sync = [&] {
    if (env.syncs == 1) log.append(1, {{"two", 3}});
  };
  log.wait(first);
  CHECK_EQUAL(env.syncs.load(), 1);
  log.wait(first + 1);
  CHECK_EQUAL(env.syncs.load(), 2);
}

TEST(group_log_shares_syncs_between_threads) {
  const TemporaryFolder folder;
  CountingEnv env;
  env.during_sync = [] { std::this_thread::sleep_for(std::chrono::milliseconds(1)); };
  GroupLog log = make_log(env, folder.path() / "log");
  std::mutex turn;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) {
        std::uint64_t sequence;
        {
          const std::lock_guard<std::mutex> lock(turn);
          sequence = log.append(1, {{"record", 6}});
        }
        log.wait(sequence);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK_EQUAL(log.next_sequence(), 200u);
  CHECK(env.syncs < 150);
  LogReader reader(Env::system().open(folder.path() / "log", false), {1, 2}, 0, log.bytes());
  while (reader.next()) {
  }
  CHECK_EQUAL(reader.next_sequence(), 200u);
}
