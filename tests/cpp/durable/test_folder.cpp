#include <string>

#include "durable/folder.h"
#include "durable/ledger.h"
#include "faults/fault_env.h"
#include "storage/temporary_folder.h"

namespace {

using namespace hopspan;
using faults::Bytes;
using faults::FaultEnv;

}  // namespace

TEST(folder_names_its_files_by_number) {
  CHECK_EQUAL(durable::snapshot_path("f", 12).filename().string(), "snapshot-0000000012.hopspan");
  CHECK_EQUAL(durable::log_path("f", 12345678901).filename().string(), "log-12345678901");
}

TEST(folder_is_vacant_when_a_crash_left_only_what_making_it_makes) {
  for (const char* name :
       {"lock", "manifest.tmp0", "snapshot-0000000001.hopspan", "snapshot-0000000001.hopspan.tmp3"}) {
    FaultEnv env;
    env.put(std::filesystem::path("f") / name, Bytes(10));
    durable::check_vacant(env, "f");
  }
  for (const char* name : {"notes.txt", "manifest.tmp", "manifest.tmpx", "log-", "log-1x", "snapshot-1", "data.tmp1"}) {
    FaultEnv env;
    env.put(std::filesystem::path("f") / name, Bytes(10));
    CHECK_THROWS(InvalidArgument, std::string("is not empty: it has ") + name, durable::check_vacant(env, "f"));
  }
  FaultEnv env;
  env.put("f/log-0000000001", Bytes(64));
  durable::check_vacant(env, "f");
  env.put("f/log-0000000001", Bytes(65));
  CHECK_THROWS(CorruptIndexError, "log-0000000001, but no manifest", durable::check_vacant(env, "f"));
  FaultEnv other;
  other.put("f/snapshot-0000000002.hopspan", Bytes(10));
  CHECK_THROWS(CorruptIndexError, "but no manifest", durable::check_vacant(other, "f"));
}

TEST(folder_loses_only_leftovers) {
  FaultEnv env;
  for (const char* name : {"lock", "manifest", "manifest.tmp0", "snapshot-0000000003.hopspan", "notes.txt", "log-9",
                           "snapshot-0000000004.hopspan", "log-0000000005", "log-0000000004", "log-x"}) {
    env.put(std::filesystem::path("f") / name, {});
  }
  durable::Manifest manifest;
  manifest.snapshot = 3;
  manifest.log = 5;
  CHECK_EQUAL(durable::last_number(env, "f"), 9u);
  CHECK_EQUAL(durable::remove_leftovers(env, "f", manifest), 4u);
  CHECK_EQUAL(env.names().size(), 6u);
  CHECK(env.has("f/snapshot-0000000003.hopspan") && env.has("f/log-0000000005") && env.has("f/notes.txt"));
}

TEST(folder_is_locked_for_one_and_names_the_holder) {
  const TemporaryFolder folder;
  storage::Env& env = storage::Env::system();
  auto lock = durable::lock_folder(env, folder.path());
  CHECK(lock->is_mine());
#if !defined(_WIN32)
  CHECK_THROWS(LockedError, ": process ", durable::lock_folder(env, folder.path()));
#endif
  CHECK_THROWS(LockedError, "open for writing", durable::lock_folder(env, folder.path()));
  lock->release();
  lock = durable::lock_folder(env, folder.path());
  lock.reset();
  durable::lock_folder(env, folder.path());
}

TEST(folder_refuses_a_snapshot_that_the_manifest_does_not_name) {
  FaultEnv env;
  env.put("f/lock", {});
  const index::Store one(test::options_for(Kind::kFlat, 3)), other(test::options_for(Kind::kFlat, 4));
  one.save(env, durable::snapshot_path("f", 1));
  durable::Manifest manifest;
  manifest.snapshot = 1;
  durable::describe_snapshot(env, "f", manifest);
  CHECK_EQUAL(durable::open_snapshot(env, "f", manifest, false)->options().dim, 3u);
  other.save(env, durable::snapshot_path("f", 1));
  CHECK_THROWS(CorruptIndexError, "not the file that the manifest names",
               durable::open_snapshot(env, "f", manifest, false));
}
