// Planted bugs that turn these tests red, each tried on its own: atomic_save without the sync of the file (a survivor
// holds an empty or torn new file), without the sync of the folder (the old file after the save had returned), with the
// rename before the sync, and without the removal of the temporary.
#include <csignal>
#include <string>
#include <vector>

#include "faults/fault_env.h"
#include "storage/atomic_file.h"
#include "storage/temporary_folder.h"
#include "test.h"

#if !defined(_WIN32)
#include <sys/resource.h>
#include <sys/stat.h>
#endif

using hopspan::IoError;
using hopspan::faults::Bytes;
using hopspan::faults::FaultEnv;
using hopspan::faults::for_each_error;
using hopspan::faults::for_each_power_cut;
using hopspan::storage::atomic_save;
using hopspan::storage::Env;
using hopspan::storage::WritableFile;

namespace {

Bytes bytes_of(const std::string& text) {
  const auto* data = reinterpret_cast<const std::byte*>(text.data());
  return Bytes(data, data + text.size());
}

const Bytes kOld = bytes_of("the old file");
const Bytes kNew = bytes_of("the new file, written in three appends");

const auto write_new = [](WritableFile& file) {
  file.append(kNew.data(), 10);
  file.append(kNew.data() + 10, 15);
  file.append(kNew.data() + 25, kNew.size() - 25);
};

void put_old(FaultEnv& env) { env.put("folder/index.hs", kOld); }
void save_new(Env& env) { atomic_save(env, "folder/index.hs", write_new); }

}  // namespace

TEST(atomic_save_replaces_the_file_and_leaves_nothing_else) {
  FaultEnv env;
  put_old(env);
  save_new(env);
  CHECK(env.bytes("folder/index.hs") == kNew);
  CHECK_EQUAL(env.names().size(), 1u);
}

TEST(atomic_save_survives_a_power_cut_at_every_operation) {
  std::size_t old_states = 0;
  const std::size_t states = for_each_power_cut(put_old, save_new, [&](FaultEnv& survivor, bool done) {
    const Bytes& found = survivor.bytes("folder/index.hs");
    CHECK(found == kNew || (found == kOld && !done));
    old_states += found == kOld;
  });
  CHECK(old_states > 0 && states - old_states > 5);
}

TEST(atomic_save_of_a_first_file_survives_a_power_cut_at_every_operation) {
  const auto nothing = [](FaultEnv&) {};
  for_each_power_cut(nothing, save_new, [&](FaultEnv& survivor, bool done) {
    if (survivor.has("folder/index.hs")) {
      CHECK(survivor.bytes("folder/index.hs") == kNew);
    } else {
      CHECK(!done);
    }
  });
}

TEST(atomic_save_keeps_the_old_file_when_any_operation_fails) {
  for (const int code : {EIO, ENOSPC, EINTR, EACCES}) {
    const std::size_t operations = for_each_error(code, put_old, save_new, [](FaultEnv& env, std::size_t operation) {
      CHECK_EQUAL(env.names().size(), 1u);
      const bool renamed = operation == 7;  // create, 3 appends, sync, close, rename, sync_dir
      CHECK(env.bytes("folder/index.hs") == (renamed ? kNew : kOld));
    });
    CHECK_EQUAL(operations, 8u);
  }
}

// The kernel may report a failed write-back once and then forget the pages: the bytes never reach the disk.
TEST(atomic_save_never_trusts_a_file_whose_sync_failed) {
  for_each_error(EIO, put_old, save_new, [](FaultEnv& env, std::size_t operation) {
    if (operation != 4) return;
    env.for_each_survivor([](FaultEnv& survivor) { CHECK(survivor.bytes("folder/index.hs") == kOld); });
  });
}

TEST(atomic_save_lets_the_writers_exception_out_and_keeps_the_old_file) {
  FaultEnv env;
  put_old(env);
  const auto fail = [](WritableFile& file) {
    file.append("half", 4);
    throw std::bad_alloc();
  };
  CHECK_THROWS(std::bad_alloc, "", atomic_save(env, "folder/index.hs", fail));
  CHECK(env.bytes("folder/index.hs") == kOld);
  CHECK_EQUAL(env.names().size(), 1u);
}

TEST(atomic_save_leaves_a_temporary_of_another_save_alone) {
  FaultEnv env;
  env.put("folder/index.hs.tmp0", kOld);
  save_new(env);
  CHECK(env.bytes("folder/index.hs.tmp0") == kOld);
  CHECK(env.bytes("folder/index.hs") == kNew);
}

TEST(atomic_save_to_the_system_replaces_a_file) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "index.hs";
  atomic_save(Env::system(), path, [](WritableFile& file) { file.append("old", 3); });
  atomic_save(Env::system(), path, write_new);
  CHECK(folder.read("index.hs") == kNew);
  CHECK_EQUAL(folder.names().size(), 1u);
}

TEST(atomic_save_names_a_folder_that_is_missing) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "missing" / "index.hs";
  CHECK_THROWS(IoError, "missing", atomic_save(Env::system(), path, write_new));
}

TEST(atomic_save_refuses_a_folder_as_its_target) {
  const TemporaryFolder folder;
  try {
    atomic_save(Env::system(), folder.path(), write_new);
    CHECK(false);
  } catch (const IoError& error) {
    CHECK_EQUAL(error.code(), EISDIR);
  }
}

// Root could replace /dev/null.
TEST(atomic_save_refuses_to_replace_what_is_not_a_regular_file) {
#if !defined(_WIN32)
  const TemporaryFolder folder;
  const std::filesystem::path pipe = folder.path() / "pipe";
  CHECK_EQUAL(mkfifo(pipe.c_str(), 0600), 0);
  CHECK_THROWS(IoError, "pipe", atomic_save(Env::system(), pipe, write_new));
  CHECK(std::filesystem::is_fifo(pipe));
#endif
}

// The limit cuts a write short; the next one fails.
TEST(atomic_save_past_the_file_size_limit_keeps_the_old_file) {
#if !defined(_WIN32)
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "index.hs";
  atomic_save(Env::system(), path, [](WritableFile& file) { file.append("old", 3); });
  rlimit before;
  CHECK_EQUAL(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small = {1000, before.rlim_max};
  CHECK_EQUAL(setrlimit(RLIMIT_FSIZE, &small), 0);
  int code = 0;
  try {
    const Bytes large(5000);
    atomic_save(Env::system(), path, [&](WritableFile& file) { file.append(large.data(), large.size()); });
  } catch (const IoError& error) {
    code = error.code();
  }
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK_EQUAL(code, EFBIG);
  CHECK(folder.read("index.hs") == bytes_of("old"));
  CHECK_EQUAL(folder.names().size(), 1u);
#endif
}
