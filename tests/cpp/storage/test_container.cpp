#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <stdexcept>

#include "faults/fault_env.h"
#include "storage/atomic_file.h"
#include "storage/container.h"
#include "storage/container_bytes.h"
#include "storage/temporary_folder.h"
#include "test.h"

using hopspan::CorruptIndexError;
using hopspan::IoError;
using hopspan::core::Array;
using hopspan::faults::FaultEnv;
using hopspan::storage::atomic_save;
using hopspan::storage::ContainerReader;
using hopspan::storage::ContainerWriter;
using hopspan::storage::Env;
using hopspan::storage::kBlockBytes;
using hopspan::storage::MemoryWriter;
using hopspan::storage::Tag;
using hopspan::storage::WritableFile;
using namespace hopspan::test;

namespace {

// Sections of every sort: shorter and longer than a page, around one block and several, empty first, between and last.
Contents every_size() {
  Contents contents = {{"none", {}}};
  const std::size_t sizes[] = {1,
                               63,
                               64,
                               65,
                               4095,
                               4096,
                               4097,
                               kBlockBytes - 1,
                               kBlockBytes,
                               kBlockBytes + 1,
                               0,
                               5 * kBlockBytes,
                               5 * kBlockBytes + 7,
                               3,
                               0};
  std::uint32_t n = 1000;
  for (const std::size_t size : sizes) {
    contents.push_back({Tag(n), random_bytes(size, n)});
    ++n;
  }
  return contents;
}

template <typename T>
bool equal(const Array<T>& array, const Bytes& bytes) {
  return array.size() * sizeof(T) == bytes.size() &&
         std::equal(bytes.begin(), bytes.end(), reinterpret_cast<const std::byte*>(array.data()));
}

}  // namespace

TEST(container_gives_back_every_section) {
  const Contents contents = every_size();
  const Bytes file = container_bytes(7, contents);
  const ContainerReader reader = open_bytes(file);
  CHECK_EQUAL(reader.file_id(), 7u);
  CHECK_EQUAL(reader.sections().size(), contents.size());
  for (const auto& [tag, bytes] : contents) {
    CHECK(reader.has(tag));
    CHECK_EQUAL(reader.size(tag), bytes.size());
    const Array<std::byte> array = reader.array<std::byte>(tag, false);
    CHECK(!array.mapped());
    CHECK(equal(array, bytes));
  }
  reader.verify();
}

TEST(container_gives_views_of_a_mapping) {
  const Contents contents = every_size();
  const auto mapped = std::make_shared<MappedBytes>(container_bytes(7, contents));
  const ContainerReader reader(mapped);
  for (const auto& [tag, bytes] : contents) {
    for (const bool verify : {false, true}) {
      const Array<std::byte> array = reader.array<std::byte>(tag, verify);
      CHECK(array.mapped());
      CHECK(array.data() >= mapped->map() && array.data() + array.size() <= mapped->map() + mapped->size());
      CHECK(equal(array, bytes));
    }
  }
}

TEST(container_aligns_sections_by_their_size) {
  const Bytes file = container_bytes(7, every_size());
  const ContainerReader reader = open_bytes(file);
  for (const auto& section : reader.sections()) {
    if (section.size != 0) CHECK_EQUAL(section.offset % (section.size < 4096 ? 64 : 4096), 0u);
  }
}

TEST(container_views_outlive_the_reader) {
  const Bytes bytes = random_bytes(8000, 1);
  Array<std::uint64_t> array;
  {
    const ContainerReader reader(std::make_shared<MappedBytes>(container_bytes(7, {{"data", bytes}})));
    array = reader.array<std::uint64_t>("data", true);
  }
  CHECK(equal(array, bytes));
}

TEST(container_opens_by_reading_header_table_and_footer) {
  const auto mapped = std::make_shared<MappedBytes>(container_bytes(7, {{"data", random_bytes(1 << 20, 1)}}));
  const ContainerReader reader(mapped);
  const Array<float> array = reader.array<float>("data", false);
  CHECK_EQUAL(mapped->bytes_read, 64u + 32u + 12u + 16u * 4u);
  CHECK_EQUAL(array.size(), std::size_t{1} << 18);
}

TEST(container_reads_any_range) {
  const Bytes bytes = random_bytes(3 * kBlockBytes + 1000, 5);
  const Bytes file = container_bytes(7, {{"data", bytes}});
  const ContainerReader reader = open_bytes(file);
  const std::size_t marks[] = {0,
                               1,
                               kBlockBytes - 1,
                               kBlockBytes,
                               kBlockBytes + 1,
                               2 * kBlockBytes,
                               3 * kBlockBytes,
                               3 * kBlockBytes + 999,
                               bytes.size()};
  for (const std::size_t from : marks) {
    for (const std::size_t to : marks) {
      if (to < from) continue;
      Bytes out(to - from);
      reader.read("data", from, out.data(), out.size());
      CHECK(std::equal(out.begin(), out.end(), bytes.begin() + static_cast<std::ptrdiff_t>(from)));
    }
  }
}

TEST(container_refuses_a_range_outside_the_section) {
  const Bytes file = container_bytes(7, {{"data", random_bytes(100, 5)}});
  const ContainerReader reader = open_bytes(file);
  std::byte out[200];
  CHECK_THROWS(CorruptIndexError, "section data of 100 bytes", reader.read("data", 1, out, 100));
  CHECK_THROWS(CorruptIndexError, "section data of 100 bytes", reader.read("data", 101, out, 0));
  CHECK_THROWS(CorruptIndexError, "section data", reader.read("data", UINT64_MAX, out, 2));
}

TEST(container_names_what_is_missing_or_has_the_wrong_size) {
  const Bytes file = container_bytes(7, {{"data", random_bytes(10, 5)}});
  const ContainerReader reader = open_bytes(file);
  CHECK(!reader.has("miss"));
  CHECK_THROWS(CorruptIndexError, "index.hs: no section miss", reader.size("miss"));
  CHECK_THROWS(CorruptIndexError, "no section miss", reader.array<float>("miss", true));
  CHECK_THROWS(CorruptIndexError, "section data of 10 bytes", reader.array<float>("data", true));
}

TEST(container_bytes_do_not_depend_on_how_they_were_appended) {
  const Bytes data = random_bytes(20 * kBlockBytes + 5000, 5);
  const Bytes whole = container_bytes(7, {{"data", data}});
  for (const std::size_t piece : {1u, 4095u, 65535u, 65536u, 65537u, 700000u}) {
    Bytes file;
    MemoryWriter out(file);
    ContainerWriter writer(out, 7);
    writer.begin("data");
    for (std::size_t done = 0; done < data.size(); done += piece) {
      writer.append(data.data() + done, std::min(piece, data.size() - done));
    }
    writer.end();
    writer.finish();
    CHECK(file == whole);
  }
}

// A change of these numbers is a change of the format. The hash is FNV-1a: a CRC-32C would not see a change of bytes
// that come with their own CRC-32C.
TEST(container_bytes_are_those_of_format_version_1) {
  const Bytes file = container_bytes(
      0x1122334455667788,
      {{"meta", random_bytes(40, 1)}, {"none", {}}, {"vecs", random_bytes(70000, 2)}, {"tail", random_bytes(100, 3)}});
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const std::byte b : file) hash = (hash ^ std::to_integer<std::uint64_t>(b)) * 0x100000001B3;
  CHECK_EQUAL(file.size(), 74308u);
  CHECK_EQUAL(hash, 0x8A66F909069F2921);
}

TEST(container_writer_refuses_calls_out_of_order) {
  Bytes file;
  MemoryWriter out(file);
  ContainerWriter writer(out, 7);
  CHECK_THROWS(std::logic_error, "outside", writer.append("x", 1));
  writer.begin("data");
  CHECK_THROWS(std::logic_error, "more begins inside data", writer.begin("more"));
  CHECK_THROWS(std::logic_error, "no end", writer.finish());
  writer.end();
  CHECK_THROWS(std::logic_error, "two sections data", writer.begin("data"));
}

TEST(container_works_through_the_system) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "index.hs";
  const Contents contents = every_size();
  atomic_save(Env::system(), path, [&](WritableFile& file) { write_container(file, 7, contents); });
  CHECK(folder.read("index.hs") == container_bytes(7, contents));
  for (const bool map : {false, true}) {
    const ContainerReader reader(Env::system().open(path, map));
    for (const auto& [tag, bytes] : contents) {
      const Array<std::byte> array = reader.array<std::byte>(tag, true);
      CHECK_EQUAL(array.mapped(), map);
      CHECK(equal(array, bytes));
    }
    reader.verify();
  }
}

TEST(container_saved_over_another_survives_a_power_cut_at_every_operation) {
  const Contents old_contents = {{"data", random_bytes(9000, 1)}};
  const Contents new_contents = {{"data", random_bytes(70000, 2)}, {"more", random_bytes(100, 3)}};
  const auto prepare = [&](FaultEnv& env) { env.put("index.hs", container_bytes(1, old_contents)); };
  const auto save = [&](Env& env) {
    atomic_save(env, "index.hs", [&](WritableFile& file) { write_container(file, 2, new_contents); });
  };
  hopspan::faults::for_each_power_cut(prepare, save, [](FaultEnv& survivor, bool done) {
    const ContainerReader reader(survivor.open("index.hs", false));
    reader.verify();
    CHECK(reader.file_id() == 2 || (reader.file_id() == 1 && !done));
  });
}

TEST(container_lets_the_error_of_every_read_out) {
  const Bytes file = container_bytes(7, {{"data", random_bytes(70000, 2)}});
  const auto load = [&](std::size_t failing) {
    FaultEnv env;
    env.put("index.hs", file);
    env.fail_read_at(failing, EIO);
    ContainerReader(env.open("index.hs", false)).array<std::byte>("data", true);
    return env.reads();
  };
  const std::size_t reads = load(FaultEnv::kNever);
  CHECK(reads >= 4);
  for (std::size_t n = 0; n < reads; ++n) CHECK_THROWS(IoError, "read 'index.hs'", load(n));
}
