// A power cut before every operation, with everything that was not synced lost, torn, zero or out of order; a kill
// before every operation and a power cut later; and every operation failing once.
// Planted bugs that turn these tests or those of test_writer.cpp red, each tried on its own: no wait for the sync in
// add, a copied log that is not synced, no sync of the folder before a log goes on, no end of the log after a void that
// failed, an id that comes again made in one batch with the one before it, a void that leaves its record.
#include <cerrno>
#include <new>

#include "durable/ledger.h"
#include "faults/fault_env.h"

namespace {

using namespace hopspan;
using durable::Reader;
using durable::Writer;
using faults::FaultEnv;
using faults::PowerCut;
using test::kFolder;
using test::Ledger;
using test::open_writer;

void make_folder(FaultEnv& env) { env.put("there/index/lock", {}); }

// Opens, changes, compacts and closes, twice over; once without closing. In a graph the changes are pending, but for
// those that to_bytes links.
void live(storage::Env& env, Ledger& ledger, bool sync, Kind kind) {
  for (int round = 0; round < 3; ++round) {
    const auto writer = open_writer(env, sync, kind);
    ledger.change(*writer);
    if (round == 1) writer->to_bytes();
    ledger.change(*writer);
    if (round == 0) {
      writer->compact();
      ledger.flushed();
      ledger.change(*writer);
    }
    if (round == 2) {
      writer->flush();
      ledger.flushed();
      ledger.change(*writer);
      writer->compact();
      ledger.flushed();
    }
    ledger.change(*writer);
    if (round != 1) {
      writer->close();
      ledger.flushed();
    }
  }
}

// The index opens, holds what it must, and goes on.
void check_survivor(FaultEnv& survivor, const Ledger& ledger, bool prefix, Kind kind) {
  {
    const Reader reader(survivor, kFolder, 1);
    ledger.check(reader);
  }
  Ledger more = ledger;
  const auto writer = open_writer(survivor, true, kind);
  if (prefix) ledger.check_prefix(*writer);
  const Ledger::State found = ledger.check(*writer);
  more.change(*writer);
  writer->check(true);
  writer->close();
  const auto again = open_writer(survivor, true, kind);
  CHECK(more.check(*again) == more.then_latest(found));
  CHECK_EQUAL(again->recovery().dropped_bytes, 0u);
  again->check(true);
}

std::size_t cut_everywhere(bool sync, Kind kind) {
  Ledger ledger;
  const auto prepare = [&](FaultEnv& env) {
    make_folder(env);
    ledger = Ledger();
    if (!sync) ledger.without_sync();
  };
  const auto body = [&](FaultEnv& env) { live(env, ledger, sync, kind); };
  return faults::for_each_power_cut(prepare, body, [&](FaultEnv& survivor, bool) {
    if (!survivor.has("there/index/manifest")) {
      CHECK_EQUAL(ledger.size(), 0u);
      open_writer(survivor, true, kind)->close();
      return;
    }
    check_survivor(survivor, ledger, true, kind);
  });
}

FaultEnv& copy_of(const FaultEnv& from, FaultEnv& to) {
  for (const std::string& name : from.names()) to.put(name, from.bytes(name));
  return to;
}

std::size_t cut_while_recovering(Kind kind) {
  Ledger ledger;
  const auto prepare = [&](FaultEnv& env) {
    make_folder(env);
    ledger = Ledger();
    const auto writer = open_writer(env, true, kind);
    for (int i = 0; i < 4; ++i) ledger.change(*writer);
  };
  const auto body = [&](FaultEnv& env) {
    const auto writer = open_writer(env, true, kind);
    ledger.change(*writer);
    writer->compact();
  };
  std::size_t states = 0;
  faults::for_each_power_cut(prepare, body, [&](FaultEnv& first, bool) {
    bool done = false;
    for (std::size_t cut = 0; !done; ++cut) {
      FaultEnv env;
      copy_of(first, env).cut_power_at(cut);
      try {
        open_writer(env, true, kind);
        done = true;
      } catch (const PowerCut&) {
      }
      env.for_each_survivor([&](FaultEnv& second) {
        ledger.check_prefix(*open_writer(second, true, kind));
        ++states;
      });
    }
  });
  return states;
}

// The process is killed before an operation; what it wrote goes on in the system's cache and is lost by a later cut.
void kill_everywhere(Kind kind) {
  bool done = false;
  for (std::size_t kill = 0; !done; ++kill) {
    FaultEnv env;
    make_folder(env);
    Ledger ledger;
    env.cut_power_at(kill);
    try {
      live(env, ledger, true, kind);
      done = true;
    } catch (const PowerCut&) {
    }
    env.cut_power_at(FaultEnv::kNever);
    const auto writer = open_writer(env, true, kind);
    ledger.change(*writer);
    env.for_each_survivor([&](FaultEnv& survivor) { check_survivor(survivor, ledger, false, kind); });
  }
}

// After the failure the index either goes on or refuses every change until it is opened again; what was acknowledged
// is there, also after a power cut.
void fail_everywhere(Kind kind) {
  for (const int code : {EIO, ENOSPC, EINTR}) {
    for (std::size_t operation = 0;; ++operation) {
      FaultEnv env;
      make_folder(env);
      env.fail_at(operation, code);
      Ledger ledger;
      const auto attempt = [&](auto&& call) {
        try {
          call();
        } catch (const Error&) {
        }
      };
      for (int round = 0; round < 3; ++round) {
        attempt([&] {
          const auto writer = open_writer(env, true, kind);
          for (int i = 0; i < 3; ++i) attempt([&] { ledger.change(*writer); });
          if (round == 1) attempt([&] { writer->compact(); });
          attempt([&] { ledger.change(*writer); });
          if (round != 1) attempt([&] { writer->close(); });
        });
      }
      const bool failed = env.operations() > operation;
      env.fail_at(FaultEnv::kNever, 0);
      env.for_each_survivor([&](FaultEnv& survivor) { check_survivor(survivor, ledger, false, kind); });
      check_survivor(env, ledger, false, kind);
      if (!failed) break;
    }
  }
}

}  // namespace

TEST(writer_loses_nothing_acknowledged_at_any_power_cut) {
  for (const Kind kind : test::kKinds) CHECK(cut_everywhere(true, kind) > 500);
}

TEST(writer_without_sync_keeps_all_up_to_the_last_flush_at_any_power_cut) {
  for (const Kind kind : test::kKinds) CHECK(cut_everywhere(false, kind) > 500);
}

TEST(writer_survives_power_cuts_while_it_recovers) {
  for (const Kind kind : test::kKinds) CHECK(cut_while_recovering(kind) > 500);
}

TEST(writer_after_a_kill_loses_nothing_at_a_power_cut) {
  for (const Kind kind : test::kKinds) kill_everywhere(kind);
}

TEST(writer_makes_its_folder_durable) {
  Ledger ledger;
  const auto prepare = [&](FaultEnv&) { ledger = Ledger(); };
  const auto body = [&](FaultEnv& env) { ledger.add(*open_writer(env)); };
  faults::for_each_power_cut(prepare, body, [&](FaultEnv& survivor, bool) { ledger.check(*open_writer(survivor)); });
}

TEST(writer_loses_nothing_acknowledged_when_any_operation_fails) {
  for (const Kind kind : test::kKinds) fail_everywhere(kind);
}

TEST(writer_goes_on_after_a_full_disk) {
  FaultEnv env;
  make_folder(env);
  Ledger ledger;
  const auto writer = open_writer(env);
  ledger.change(*writer);
  env.fail_at(env.operations(), ENOSPC);
  CHECK_THROWS(IoError, "write", ledger.change(*writer));
  const Ledger::State before = ledger.check(*writer);
  ledger.change(*writer);
  CHECK(ledger.check(*writer) == ledger.then_latest(before));
  writer->check(true);
}

TEST(writer_refuses_changes_after_a_sync_that_failed) {
  FaultEnv env;
  make_folder(env);
  Ledger ledger;
  auto writer = open_writer(env);
  ledger.change(*writer);
  env.fail_at(env.operations() + 1, EIO);
  CHECK_THROWS(IoError, "sync", ledger.change(*writer));
  CHECK_THROWS(Error, "no more changes are taken since writing failed", ledger.change(*writer));
  CHECK_THROWS(Error, "open the index again", writer->compact());
  CHECK_THROWS(Error, "no more changes", writer->flush());
  CHECK_THROWS(Error, "no more changes", writer->close());
  ledger.flushed();
  writer = open_writer(env);
  ledger.change(*writer);
  env.for_each_survivor([&](FaultEnv& survivor) { check_survivor(survivor, ledger, false, Kind::kFlat); });
}

// Otherwise later records would follow one that says what was not done.
TEST(writer_refuses_changes_after_a_failed_one_that_it_could_not_void) {
  FaultEnv env;
  make_folder(env);
  OpenOptions how = test::appending();
  how.create = test::options_for(Kind::kHnsw, 3);
  Writer writer(env, kFolder, how, std::chrono::milliseconds(0));
  const test::Vectors data = test::make_vectors(DType::kFloat32, 2, 3, 1);
  writer.add(data.slice(0, 1), nullptr, {});
  AddOptions failing;
  failing.progress = [&](std::size_t, std::size_t) {
    env.fail_at(env.operations(), ENOSPC);
    throw std::bad_alloc();
  };
  CHECK_THROWS(std::bad_alloc, "", writer.add(data.slice(1, 1), nullptr, failing));
  CHECK_EQUAL(writer.size(), 1u);
  CHECK_THROWS(Error, "no more changes are taken since writing failed", writer.add(data.slice(1, 1), nullptr, {}));
  CHECK_THROWS(Error, "No space left", writer.remove(nullptr, 0, {}));
}
