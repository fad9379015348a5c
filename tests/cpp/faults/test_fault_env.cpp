// The fault file system itself: each careless way to save must show as a damaged file in some state after a power cut.
#include <cerrno>

#include "faults/fault_env.h"
#include "test.h"

using hopspan::IoError;
using hopspan::faults::Bytes;
using hopspan::faults::FaultEnv;
using hopspan::faults::for_each_error;
using hopspan::faults::for_each_power_cut;
using hopspan::storage::Env;
using hopspan::storage::WritableFile;

namespace {

const Bytes kOld(10, std::byte{1});
const Bytes kNew(100, std::byte{2});

void put_old(FaultEnv& env) { env.put("f", kOld); }

struct Careless {
  bool sync_file;
  bool sync_folder;

  void operator()(Env& env) const {
    const auto file = env.create("t");
    file->append(kNew.data(), 60);
    file->append(kNew.data() + 60, 40);
    if (sync_file) file->sync();
    file->close();
    env.rename("t", "f");
    if (sync_folder) env.sync_dir(".");
  }
};

struct Outcome {
  bool damaged = false;  // neither the old file nor the new one
  bool lost = false;     // the old file after the save had returned
};

Outcome outcome(const Careless& save) {
  Outcome outcome;
  for_each_power_cut(put_old, save, [&](FaultEnv& survivor, bool done) {
    const Bytes& found = survivor.bytes("f");
    outcome.damaged = outcome.damaged || (found != kOld && found != kNew);
    outcome.lost = outcome.lost || (found == kOld && done);
  });
  return outcome;
}

}  // namespace

TEST(fault_env_finds_nothing_wrong_with_a_careful_save) {
  CHECK(!outcome({true, true}).damaged);
  CHECK(!outcome({true, true}).lost);
}

TEST(fault_env_shows_a_missing_sync_of_the_file) { CHECK(outcome({false, true}).damaged); }

TEST(fault_env_shows_a_missing_sync_of_the_folder) {
  CHECK(outcome({true, false}).lost);
  CHECK(!outcome({true, false}).damaged);
}

TEST(fault_env_loses_tears_and_reorders_what_was_not_synced) {
  FaultEnv env;
  const auto file = env.create("f");
  file->append(kNew.data(), 60);
  file->append(kNew.data() + 60, 40);
  env.sync_dir(".");
  std::vector<Bytes> states;
  env.for_each_survivor([&](FaultEnv& survivor) { states.push_back(survivor.bytes("f")); });
  const auto seen = [&](const Bytes& state) { return std::count(states.begin(), states.end(), state) == 1; };
  Bytes only_the_second(100, std::byte{0});
  std::fill(only_the_second.begin() + 60, only_the_second.end(), std::byte{2});
  CHECK(seen({}));
  CHECK(seen(kNew));
  CHECK(seen(Bytes(80, std::byte{2})));
  CHECK(seen(Bytes(100, std::byte{0})));
  CHECK(seen(only_the_second));
}

TEST(fault_env_forgets_for_ever_what_a_failed_sync_was_to_make_durable) {
  FaultEnv env;
  env.fail_at(2, EIO);
  const auto file = env.create("f");
  file->append(kNew.data(), kNew.size());
  CHECK_THROWS(IoError, "sync", file->sync());
  file->sync();
  env.sync_dir(".");
  env.for_each_survivor(
      [](FaultEnv& survivor) { CHECK(survivor.bytes("f").size() == 0 || survivor.bytes("f") != kNew); });
}

TEST(fault_env_writes_half_when_an_append_fails) {
  const std::size_t operations =
      for_each_error(ENOSPC, put_old, Careless{true, true}, [](FaultEnv& env, std::size_t operation) {
        if (operation == 1) CHECK_EQUAL(env.bytes("t").size(), 30u);
      });
  CHECK_EQUAL(operations, 7u);
}

TEST(fault_env_fails_the_read_it_was_told_to) {
  FaultEnv env;
  put_old(env);
  env.fail_read_at(1, EIO);
  const auto file = env.open("f", false);
  std::byte b;
  file->read(0, &b, 1);
  CHECK_THROWS(IoError, "read 'f'", file->read(0, &b, 1));
  file->read(9, &b, 1);
  CHECK(b == std::byte{1});
}
