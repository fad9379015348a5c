// Planted bugs that turn these tests red, each tried on its own: store.cpp without the comparison of a section's size
// with META, without the check of ids, rows or links after loading, and with the engine loaded before the checksums.
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "faults/fault_env.h"
#include "index/results.h"
#include "index/store.h"
#include "storage/container_bytes.h"
#include "storage/temporary_folder.h"
#include "test.h"

namespace {

using namespace hopspan;
using index::Store;
using storage::MemoryFile;
using test::Bytes;
using test::kKinds;
using test::make_vectors;
using test::MappedBytes;
using test::options_for;
using test::search;
using test::Vectors;
using test::with_ef;

std::shared_ptr<const storage::RandomAccessFile> file_of(const Bytes& bytes, bool map) {
  if (map) return std::make_shared<MappedBytes>(bytes);
  return std::make_shared<MemoryFile>("index.hs", bytes.data(), bytes.size());
}

std::vector<std::int64_t> scattered_ids(std::size_t count) {
  std::vector<std::int64_t> ids;
  for (std::size_t i = 0; i < count; ++i) ids.push_back(static_cast<std::int64_t>(i * 61 % 100003) + 4);
  return ids;
}

std::unique_ptr<Store> filled(const IndexOptions& options, const Vectors& data, bool own_ids) {
  auto store = std::make_unique<Store>(options);
  store->add(data.view(), own_ids ? scattered_ids(data.rows).data() : nullptr, {});
  return store;
}

Bytes small_index(Kind kind, bool own_ids = true) {
  return filled(options_for(kind, DType::kFloat32, Metric::kCosine, 3), make_vectors(DType::kFloat32, 40, 3, 1),
                own_ids)
      ->to_bytes();
}

template <typename Use>
bool refused(Use&& use) {
  try {
    use();
  } catch (const CorruptIndexError&) {
    return true;
  } catch (const VersionError&) {
    return true;
  }
  return false;
}

template <typename Use>
void may_refuse(Use&& use) {
  try {
    use();
  } catch (const Error&) {
  }
}

// Everything that can be done with an index, if it can be loaded. Whatever the bytes, nothing worse than an error
// happens.
void try_all(const Bytes& bytes, bool map, bool verify) {
  may_refuse([&] {
    Store store(file_of(bytes, map), verify);
    const Vectors queries = make_vectors(store.options().dtype, 2, store.options().dim, 2);
    may_refuse([&] { search(store, queries.view(), with_ef(3, 50)); });
    may_refuse([&] { store.check(true); });
    may_refuse([&] { store.stats(); });
    may_refuse([&] { store.contains(7); });
    may_refuse([&] { store.add(queries.view(), nullptr, {}); });
    may_refuse([&] { search(store, queries.view(), with_ef(3, 50)); });
  });
}

}  // namespace

TEST(store_comes_back_from_its_bytes) {
  for (const Kind kind : kKinds) {
    for (const DType dtype : test::kDTypes) {
      for (const Metric metric : test::metrics_of(dtype)) {
        const Vectors data = make_vectors(dtype, 300, 10, 3), more = make_vectors(dtype, 60, 10, 4);
        const bool own_ids = metric == Metric::kL2;
        const auto store = filled(options_for(kind, dtype, metric, 10), data, own_ids);
        const Bytes bytes = store->to_bytes();
        const test::Results expected = search(*store, more.view(), with_ef(5, 20));
        store->add(more.view(), nullptr, {});
        for (const bool map : {false, true}) {
          for (const bool verify : {false, true}) {
            Store again(file_of(bytes, map), verify);
            CHECK(search(again, more.view(), with_ef(5, 20)) == expected);
            CHECK(again.to_bytes() == bytes && again.stats().mapped == map);
            CHECK(again.check(true).vectors == 300 && again.contains(own_ids ? 4 + 61 : 1));
            again.add(more.view(), nullptr, {});
            CHECK(again.to_bytes() == store->to_bytes());
            again.check(true);
          }
        }
      }
    }
  }
}

TEST(store_comes_back_when_it_is_empty) {
  for (const Kind kind : kKinds) {
    const Store empty(options_for(kind));
    for (const bool map : {false, true}) {
      Store again(file_of(empty.to_bytes(), map), true);
      CHECK(again.size() == 0 && again.to_bytes() == empty.to_bytes());
      again.check(true);
      again.add(make_vectors(DType::kFloat32, 5, 12, 5).view(), nullptr, {});
      again.check(true);
    }
  }
}

TEST(store_reads_little_of_a_mapped_file) {
  for (const Kind kind : kKinds) {
    const Bytes bytes = filled(options_for(kind, 64), make_vectors(DType::kFloat32, 4000, 64, 6), true)->to_bytes();
    const auto file = std::make_shared<MappedBytes>(bytes);
    const Store store(file, false);
    CHECK(file->bytes_read < bytes.size() / 50);
  }
}

TEST(store_notices_every_flipped_bit) {
  for (const Kind kind : kKinds) {
    Bytes bytes = small_index(kind);
    CHECK(bytes.size() < 65536);
    for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
      const std::byte mask = std::byte{1} << (bit % 8);
      bytes[bit / 8] ^= mask;
      for (const bool map : {false, true}) CHECK(refused([&] { Store store(file_of(bytes, map), true); }));
      if (bit % 3 == 0) CHECK(refused([&] { Store(file_of(bytes, true), false).check(false); }));
      if (bit % 3 == 1) try_all(bytes, true, false);
      bytes[bit / 8] ^= mask;
    }
  }
}

TEST(store_notices_every_cut) {
  for (const Kind kind : kKinds) {
    const Bytes bytes = small_index(kind);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      for (const bool map : {false, true}) CHECK(refused([&] { Store store(file_of(cut, map), false); }));
    }
    Bytes longer = bytes;
    longer.push_back(std::byte{0});
    CHECK(refused([&] { Store store(file_of(longer, false), false); }));
  }
}

// The container may be right and what it holds wrong: every byte of every section is set to a few others, and sections
// are made shorter, longer, or left out.
TEST(store_survives_sections_that_lie) {
  for (const Kind kind : kKinds) {
    const Bytes bytes = small_index(kind);
    const storage::ContainerReader reader = test::open_bytes(bytes);
    test::Contents contents;
    for (const storage::Section& section : reader.sections()) {
      contents.emplace_back(section.tag, Bytes(section.size));
      reader.read(section.tag, 0, contents.back().second.data(), section.size);
    }
    const auto try_it = [](const test::Contents& changed) {
      const Bytes file = test::container_bytes(1, changed);
      for (const bool verify : {false, true}) try_all(file, verify, verify);
      try_all(file, true, false);
    };
    for (std::size_t s = 0; s < contents.size(); ++s) {
      test::Contents changed = contents;
      changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(s));
      CHECK(refused([&] { Store store(file_of(test::container_bytes(1, changed), true), false); }));
      for (const int size : {-16, -4, 4, 16}) {
        changed = contents;
        const auto resized = static_cast<std::ptrdiff_t>(changed[s].second.size()) + size;
        if (resized < 0) continue;
        changed[s].second.resize(static_cast<std::size_t>(resized));
        CHECK(refused([&] { Store store(file_of(test::container_bytes(1, changed), true), false); }));
      }
      for (std::size_t i = 0; i < contents[s].second.size(); ++i) {
        for (const int value : {0, 1, 0x7F, 0xFF}) {
          if (contents[s].first.value == storage::Tag("VECS").value && i % 7 != 0) continue;
          changed = contents;
          changed[s].second[i] = static_cast<std::byte>(value);
          try_it(changed);
        }
      }
    }
  }
}

TEST(store_finds_lies_behind_right_checksums) {
  const Bytes bytes = small_index(Kind::kHnsw);
  const storage::ContainerReader reader = test::open_bytes(bytes);
  test::Contents contents;
  for (const storage::Section& section : reader.sections()) {
    contents.emplace_back(section.tag, Bytes(section.size));
    reader.read(section.tag, 0, contents.back().second.data(), section.size);
  }
  const auto found = [&](const char (&tag)[5], std::size_t at, auto value) {
    test::Contents changed = contents;
    for (auto& [name, data] : changed) {
      if (name.value == storage::Tag(tag).value) std::memcpy(data.data() + at, &value, sizeof value);
    }
    const Bytes file = test::container_bytes(1, changed);
    const bool at_load = refused([&] { Store store(file_of(file, true), true); });
    return at_load && refused([&] { Store(file_of(file, true), false).check(false); });
  };
  CHECK(!found("META", 0, std::uint8_t{1}));  // what it was
  CHECK(found("IDS ", 8, std::int64_t{4}));   // as in slot 0
  CHECK(found("IDS ", 8, std::int64_t{-1}));
  CHECK(found("VECS", 4, std::uint32_t{0x7FC00000}));  // NaN
  CHECK(found("VECS", 12, 7.0F));                      // not the reciprocal of the norm
  CHECK(found("LK00", 0, std::uint32_t{0}));           // a link to itself
  CHECK(found("LK00", 0, std::uint32_t{40}));          // out of range
}

TEST(store_saves_all_or_nothing_at_every_power_cut) {
  const Bytes old_bytes = small_index(Kind::kFlat), new_bytes = small_index(Kind::kHnsw);
  const Store store(file_of(new_bytes, false), true);
  const auto put_old = [&](faults::FaultEnv& env) { env.put("folder/index.hs", old_bytes); };
  const auto save = [&](storage::Env& env) { store.save(env, "folder/index.hs"); };
  std::size_t old_states = 0;
  faults::for_each_power_cut(put_old, save, [&](faults::FaultEnv& survivor, bool done) {
    const Store found(survivor.open("folder/index.hs", true), true);
    CHECK(found.to_bytes() == new_bytes || (found.to_bytes() == old_bytes && !done));
    old_states += found.to_bytes() == old_bytes;
  });
  CHECK(old_states > 0);
}

TEST(store_keeps_the_old_file_when_saving_fails) {
  const Bytes old_bytes = small_index(Kind::kFlat), new_bytes = small_index(Kind::kHnsw);
  const Store store(file_of(new_bytes, false), true);
  const auto put_old = [&](faults::FaultEnv& env) { env.put("folder/index.hs", old_bytes); };
  const auto save = [&](storage::Env& env) { store.save(env, "folder/index.hs"); };
  const std::size_t operations = faults::for_each_error(ENOSPC, put_old, save, [&](faults::FaultEnv& env, std::size_t) {
    const Bytes& found = env.bytes("folder/index.hs");
    CHECK((found == old_bytes || found == new_bytes) && env.names().size() == 1);
  });
  CHECK(operations > 5);
}

TEST(store_fails_to_load_when_reading_fails) {
  const Bytes bytes = small_index(Kind::kHnsw);
  for (const bool map : {false, true}) {
    for (std::size_t read = 0;; ++read) {
      faults::FaultEnv env;
      env.put("index.hs", bytes);
      env.fail_read_at(read, EIO);
      try {
        const Store store(env.open("index.hs", map), true);
        CHECK(store.to_bytes() == bytes && read > 3);
        break;
      } catch (const IoError& error) {
        CHECK_EQUAL(error.code(), EIO);
      }
    }
  }
}

TEST(store_can_be_saved_over_the_file_that_it_maps) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "index.hs";
  for (const Kind kind : kKinds) {
    const Vectors data = make_vectors(DType::kFloat32, 400, 12, 7);
    Index index(options_for(kind));
    index.add(data.view());
    index.save(path);
    Index loaded = Index::load(path);
    CHECK_EQUAL(loaded.stats().mapped, true);
    loaded.add(make_vectors(DType::kFloat32, 40, 12, 8).view());
    loaded.save(path);
    CHECK(loaded.check().vectors == 440 && Index::load(path, {false, true}).to_bytes() == loaded.to_bytes());
    CHECK_EQUAL(folder.names().size(), std::size_t{1});
    CHECK(search(index, data.view(), with_ef(3, 20)).ids.size() == 1200);
  }
  CHECK_THROWS(IoError, "missing", Index::load(folder.path() / "missing.hs"));
}

TEST(store_tells_equal_content_from_other_content_by_the_file_id) {
  const auto id_of = [](const Bytes& bytes) { return test::open_bytes(bytes).file_id(); };
  const Vectors data = make_vectors(DType::kFloat32, 30, 12, 9), other = make_vectors(DType::kFloat32, 30, 12, 10);
  for (const Kind kind : kKinds) {
    const std::uint64_t id = id_of(filled(options_for(kind), data, false)->to_bytes());
    CHECK_EQUAL(id, id_of(filled(options_for(kind), data, false)->to_bytes()));
    CHECK(id != id_of(filled(options_for(kind), other, false)->to_bytes()));
    CHECK(id != id_of(filled(options_for(kind), data, true)->to_bytes()));
  }
}
