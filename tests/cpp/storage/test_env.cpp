#include <cerrno>
#include <cstring>

#include "storage/env.h"
#include "storage/temporary_folder.h"
#include "test.h"

#if !defined(_WIN32)
#include <sys/stat.h>
#endif

using hopspan::CorruptIndexError;
using hopspan::IoError;
using hopspan::storage::Env;
using hopspan::storage::FileKind;
using hopspan::storage::MemoryFile;
using hopspan::storage::MemoryWriter;

namespace {

template <typename Call>
int error_of(Call&& call) {
  try {
    call();
  } catch (const IoError& error) {
    return error.code();
  }
  return 0;
}

}  // namespace

TEST(env_reads_back_what_it_wrote) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "file";
  const auto out = Env::system().create(path);
  out->append("hello ", 6);
  out->append("world", 5);
  out->sync();
  out->close();
  for (const bool map : {false, true}) {
    const auto file = Env::system().open(path, map);
    CHECK_EQUAL(file->size(), 11u);
    CHECK_EQUAL(file->name(), path.string());
    char text[6] = {};
    file->read(6, text, 5);
    CHECK_EQUAL(std::string(text), "world");
    CHECK_EQUAL(file->map() != nullptr, map);
    if (map) CHECK_EQUAL(std::memcmp(file->map(), "hello world", 11), 0);
  }
}

TEST(env_maps_no_empty_file) {
  const TemporaryFolder folder;
  folder.write("file", {});
  CHECK(Env::system().open(folder.path() / "file", true)->map() == nullptr);
}

TEST(env_reads_nothing_past_the_end) {
  const TemporaryFolder folder;
  folder.write("file", std::vector<std::byte>(10));
  const auto file = Env::system().open(folder.path() / "file", false);
  char out[20];
  file->read(10, out, 0);
  CHECK_THROWS(CorruptIndexError, "file: 2 bytes at offset 9 reach past its end at 10", file->read(9, out, 2));
  CHECK_THROWS(CorruptIndexError, "past its end", file->read(11, out, 0));
  CHECK_THROWS(CorruptIndexError, "past its end", file->read(UINT64_MAX, out, 2));
}

TEST(env_reports_a_file_that_shrank_since_it_was_opened) {
#if !defined(_WIN32)
  const TemporaryFolder folder;
  folder.write("file", std::vector<std::byte>(10));
  const auto file = Env::system().open(folder.path() / "file", false);
  std::filesystem::resize_file(folder.path() / "file", 4);
  char out[10];
  CHECK_THROWS(CorruptIndexError, "past its end", file->read(0, out, 10));
#endif
}

TEST(env_names_the_file_and_the_reason) {
  const TemporaryFolder folder;
  const std::filesystem::path missing = folder.path() / "missing";
  CHECK_THROWS(IoError, "missing", Env::system().open(missing, true));
  CHECK_EQUAL(error_of([&] { Env::system().open(missing, false); }), ENOENT);
  CHECK_EQUAL(error_of([&] { Env::system().remove(missing); }), ENOENT);
  CHECK_EQUAL(error_of([&] { Env::system().rename(missing, folder.path() / "other"); }), ENOENT);
  CHECK_EQUAL(error_of([&] { Env::system().create(missing / "file"); }), ENOENT);
}

TEST(env_creates_only_new_files) {
  const TemporaryFolder folder;
  folder.write("file", std::vector<std::byte>(10));
  CHECK_EQUAL(error_of([&] { Env::system().create(folder.path() / "file"); }), EEXIST);
  CHECK_EQUAL(folder.read("file").size(), 10u);
}

TEST(env_tells_files_from_folders) {
  const TemporaryFolder folder;
  folder.write("file", {});
  CHECK(Env::system().kind(folder.path()) == FileKind::kFolder);
  CHECK(Env::system().kind(folder.path() / "file") == FileKind::kRegular);
  CHECK(Env::system().kind(folder.path() / "missing") == FileKind::kMissing);
}

TEST(env_reads_memory_within_its_bounds) {
  const MemoryFile file("memory", "hello", 5);
  char text[6] = {};
  file.read(0, text, 5);
  CHECK_EQUAL(std::string(text), "hello");
  CHECK(file.map() == nullptr);
  CHECK_THROWS(CorruptIndexError, "memory: 3 bytes at offset 3 reach past its end at 5", file.read(3, text, 3));
  CHECK_THROWS(CorruptIndexError, "past its end", file.read(UINT64_MAX, text, 2));
}

TEST(env_writes_to_memory) {
  std::vector<std::byte> bytes;
  MemoryWriter out(bytes);
  out.append("ab", 2);
  out.append("c", 1);
  CHECK_EQUAL(bytes.size(), 3u);
  CHECK(bytes[2] == std::byte{'c'});
}

TEST(env_opens_neither_folders_nor_pipes) {
#if !defined(_WIN32)
  const TemporaryFolder folder;
  const std::filesystem::path pipe = folder.path() / "pipe";
  CHECK_EQUAL(mkfifo(pipe.c_str(), 0600), 0);
  CHECK_EQUAL(error_of([&] { Env::system().open(pipe, true); }), EINVAL);
  CHECK_EQUAL(error_of([&] { Env::system().open(folder.path(), true); }), EISDIR);
#endif
}
