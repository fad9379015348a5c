#include "durable/ledger.h"
#include "faults/fault_env.h"

namespace {

using namespace hopspan;
using durable::Reader;
using faults::FaultEnv;
using test::kFolder;
using test::Ledger;
using test::open_writer;

void make_folder(FaultEnv& env) { env.put("there/index/lock", {}); }

}  // namespace

TEST(reader_follows_the_log_and_the_snapshots) {
  FaultEnv env;
  make_folder(env);
  Ledger ledger;
  auto writer = open_writer(env);
  Reader reader(env, kFolder, 1);
  CHECK_EQUAL(reader.size(), 0u);
  CHECK(!reader.refresh());
  for (int i = 0; i < 20; ++i) {
    const std::size_t before = reader.size();
    ledger.change(*writer);
    if (i % 4 == 2) writer->compact();
    CHECK_EQUAL(reader.size(), before);
    CHECK(reader.refresh());
    ledger.check_all(reader);
    CHECK(!reader.refresh());
    if (i == 6) {
      writer->close();
      CHECK(!reader.refresh());
      writer = open_writer(env);
    }
  }
  CHECK_EQUAL(reader.stats().log->log_bytes, writer->stats().log->log_bytes);
  reader.check(true);
}

TEST(reader_takes_back_a_change_that_failed_after_it_was_seen) {
  FaultEnv env;
  make_folder(env);
  Ledger ledger;
  OpenOptions how = test::appending();
  how.create = test::options_for(Kind::kHnsw, 3);
  durable::Writer writer(env, kFolder, how);
  ledger.add(writer);
  const test::Vectors data = test::make_vectors(DType::kFloat32, 1, 3, 1);
  Reader reader(env, kFolder, 1);
  std::size_t seen = 0;
  AddOptions options;
  options.progress = [&](std::size_t, std::size_t) {
    reader.refresh();
    seen = reader.size();
    throw std::bad_alloc();
  };
  CHECK_THROWS(std::bad_alloc, "", writer.add(data.view(), nullptr, options));
  CHECK_EQUAL(seen, 2u);
  reader.refresh();
  CHECK_EQUAL(reader.size(), writer.size());
  ledger.check_all(reader);
}

TEST(reader_changes_nothing_and_says_so) {
  FaultEnv env;
  make_folder(env);
  Ledger ledger;
  ledger.add(*open_writer(env));
  Reader reader(env, kFolder, 1);
  const std::size_t operations = env.operations();
  const test::Vectors data = test::make_vectors(DType::kFloat32, 1, 3, 1);
  CHECK_THROWS(InvalidArgument, "open for reading", reader.add(data.view(), nullptr, {}));
  CHECK_THROWS(InvalidArgument, "open for reading", reader.remove(nullptr, 0, {}));
  CHECK_THROWS(InvalidArgument, "open for reading", reader.flush());
  CHECK_THROWS(InvalidArgument, "open for reading", reader.compact());
  reader.refresh();
  reader.close();
  CHECK_THROWS(InvalidArgument, "the index is closed", reader.contains(0));
  CHECK_THROWS(InvalidArgument, "the index is closed", reader.refresh());
  CHECK_EQUAL(env.operations(), operations);
}

TEST(reader_of_nothing_names_what_is_missing) {
  FaultEnv env;
  CHECK_THROWS(IoError, "manifest", Reader(env, kFolder, 1));
  make_folder(env);
  CHECK_THROWS(IoError, "manifest", Reader(env, kFolder, 1));
}

TEST(reader_refuses_an_index_that_took_the_place_of_its_own) {
  FaultEnv env, other;
  make_folder(env);
  make_folder(other);
  open_writer(env)->close();
  OpenOptions options = test::appending();
  options.create->dim = 4;
  durable::Writer(other, kFolder, options).close();
  Reader reader(env, kFolder, 1);
  for (const std::string& name : other.names()) env.put(name, other.bytes(name));
  CHECK_THROWS(InvalidArgument, "dim", reader.refresh());
  CHECK_EQUAL(reader.size(), 0u);
}
