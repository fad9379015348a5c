// Planted bugs that turn these tests red, each tried on its own: a block's checksum without the block number, the tag
// or the file id; the gaps unchecked; the footer's position not taken from the end of the file; a size not bounded by
// the file or added up without regard to overflow; the number of sections not bounded.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>

#include "storage/container.h"
#include "storage/container_bytes.h"
#include "test.h"

using hopspan::CorruptIndexError;
using hopspan::VersionError;
using hopspan::storage::ByteWriter;
using hopspan::storage::ContainerReader;
using hopspan::storage::kBlockBytes;
using hopspan::storage::MemoryFile;
using hopspan::storage::RandomAccessFile;
using namespace hopspan::test;

namespace {

void load_by_sections(std::shared_ptr<const RandomAccessFile> file) {
  const ContainerReader reader(std::move(file));
  for (const auto& section : reader.sections()) reader.array<std::byte>(section.tag, true);
}

void load_and_verify(std::shared_ptr<const RandomAccessFile> file) { ContainerReader(std::move(file)).verify(); }

bool is_detected(const std::function<void()>& load) {
  try {
    load();
    return false;
  } catch (const CorruptIndexError&) {
    return true;
  }
}

bool is_detected(const Bytes& file) {
  const auto memory = std::make_shared<MemoryFile>("index.hs", file.data(), file.size());
  return is_detected([&] { load_by_sections(memory); }) && is_detected([&] { load_and_verify(memory); });
}

// Gaps of both sorts, an empty section, and data on both sides of a block's end.
Bytes small_file() {
  return container_bytes(
      9, {{"meta", random_bytes(50, 1)}, {"none", {}}, {"page", random_bytes(4100, 2)}, {"tail", random_bytes(77, 3)}});
}

const Contents kThreeBlocks = {{"data", random_bytes(3 * kBlockBytes, 1)}, {"more", random_bytes(3 * kBlockBytes, 2)}};
constexpr std::size_t kDataBegin = 4096;
constexpr std::size_t kMoreBegin = kDataBegin + 3 * kBlockBytes;
constexpr std::size_t kTableBegin = kMoreBegin + 3 * kBlockBytes;

// The bytes and the checksum of block i of section "data" (0..2) or "more" (3..5).
std::byte* block(Bytes& file, std::size_t i) { return file.data() + kDataBegin + i * kBlockBytes; }
std::byte* checksum(Bytes& file, std::size_t i) { return file.data() + kTableBegin + 12 * (1 + i / 3) + 4 * i; }

void copy_block(Bytes& from, std::size_t i, Bytes& to, std::size_t j) {
  std::memcpy(block(to, j), block(from, i), kBlockBytes);
  std::memcpy(checksum(to, j), checksum(from, i), 4);
  seal(to);
}

}  // namespace

TEST(container_detects_every_flipped_bit) {
  Bytes file = small_file();
  for (std::size_t bit = 0; bit < 8 * file.size(); ++bit) {
    const std::byte mask{static_cast<unsigned char>(1u << bit % 8)};
    file[bit / 8] ^= mask;
    if (!is_detected(file)) fail(__FILE__, __LINE__, "bit " + std::to_string(bit) + " went unnoticed");
    file[bit / 8] ^= mask;
  }
  CHECK(!is_detected(file));
}

TEST(container_detects_flipped_bits_behind_a_mapping) {
  Bytes file = container_bytes(9, kThreeBlocks);
  for (std::size_t bit = 0; bit < 8 * file.size(); bit += 8 * 1021 + 1) {
    Bytes damaged = file;
    damaged[bit / 8] ^= std::byte{static_cast<unsigned char>(1u << bit % 8)};
    CHECK(is_detected([&] { load_by_sections(std::make_shared<MappedBytes>(damaged)); }));
    CHECK(is_detected([&] { load_and_verify(std::make_shared<MappedBytes>(damaged)); }));
  }
  CHECK(!is_detected([&] { load_by_sections(std::make_shared<MappedBytes>(file)); }));
}

TEST(container_detects_every_truncation) {
  const Bytes file = small_file();
  for (std::size_t size = 0; size < file.size(); ++size) {
    CHECK(is_detected(Bytes(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size))));
  }
}

TEST(container_detects_whatever_follows_its_end) {
  const Bytes file = small_file();
  const Bytes footer(file.end() - 32, file.end());
  for (const Bytes& more : {Bytes(1), Bytes(32), Bytes(4096), footer, file}) {
    Bytes longer = file;
    longer.insert(longer.end(), more.begin(), more.end());
    CHECK(is_detected(longer));
  }
}

TEST(container_detects_swapped_blocks) {
  const Bytes file = container_bytes(9, kThreeBlocks);
  for (const std::size_t other : {1u, 2u, 3u, 4u}) {
    Bytes swapped = file;
    std::swap_ranges(block(swapped, 0), block(swapped, 0) + kBlockBytes, block(swapped, other));
    CHECK(is_detected(swapped));
  }
}

// Block and checksum moved together, so that only the number, tag and file id in the checksum can tell.
TEST(container_detects_a_block_moved_with_its_checksum) {
  Bytes file = container_bytes(9, kThreeBlocks);
  Bytes within = file;
  copy_block(file, 0, within, 1);
  CHECK(is_detected(within));
  Bytes across = file;
  copy_block(file, 0, across, 3);
  CHECK(is_detected(across));
}

TEST(container_detects_a_block_of_another_file) {
  Bytes file = container_bytes(9, kThreeBlocks);
  Bytes other = container_bytes(10, kThreeBlocks);
  for (const std::size_t i : {0u, 1u, 5u}) {
    Bytes mixed = file;
    copy_block(other, i, mixed, i);
    CHECK(is_detected(mixed));
  }
  Bytes same = file;
  copy_block(file, 0, same, 0);
  CHECK(!is_detected(same));
}

TEST(container_detects_the_tail_of_another_file) {
  const Bytes file = container_bytes(9, kThreeBlocks);
  const Bytes other = container_bytes(10, kThreeBlocks);
  Bytes mixed(file.begin(), file.begin() + 64);
  mixed.insert(mixed.end(), other.begin() + 64, other.end());
  CHECK_THROWS(CorruptIndexError, "different files", open_bytes(mixed));
}

TEST(container_names_the_damaged_block) {
  Bytes file = container_bytes(9, kThreeBlocks);
  block(file, 4)[17] ^= std::byte{4};
  CHECK_THROWS(CorruptIndexError, "index.hs: section more is damaged in block 1, offset 266240 of the file",
               open_bytes(file).verify());
  CHECK_THROWS(CorruptIndexError, "block 1", open_bytes(file).array<float>("more", true));
  CHECK_THROWS(CorruptIndexError, "block 1", open_bytes(file).verify("more"));
  open_bytes(file).verify("data");
}

TEST(container_checks_only_the_blocks_that_it_reads) {
  Bytes file = container_bytes(9, kThreeBlocks);
  block(file, 1)[0] ^= std::byte{1};
  const ContainerReader reader = open_bytes(file);
  std::byte out[2];
  reader.read("data", kBlockBytes - 2, out, 2);
  CHECK_THROWS(CorruptIndexError, "block 1", reader.read("data", kBlockBytes - 1, out, 2));
  CHECK_THROWS(CorruptIndexError, "block 1", reader.read("data", 2 * kBlockBytes - 1, out, 2));
  reader.read("data", 2 * kBlockBytes, out, 2);
}

TEST(container_verify_sees_damage_done_since_it_was_opened) {
  Bytes file = small_file();
  const ContainerReader reader = open_bytes(file);
  reader.verify();
  file[file.size() - 40] ^= std::byte{1};
  CHECK_THROWS(CorruptIndexError, "damaged section table", reader.verify());
}

TEST(container_refuses_what_is_not_one) {
  CHECK_THROWS(CorruptIndexError, "not a hopspan file", open_bytes({}));
  CHECK_THROWS(CorruptIndexError, "not a hopspan file", open_bytes(Bytes(7)));
  CHECK_THROWS(CorruptIndexError, "not a hopspan file", open_bytes(random_bytes(5000, 1)));
}

TEST(container_refuses_a_newer_version_by_its_number) {
  Bytes file = small_file();
  file[8] = std::byte{7};
  seal(file);
  CHECK_THROWS(VersionError, "index.hs: format version 7; this release reads up to 1", open_bytes(file));
  file[8] = std::byte{0};
  seal(file);
  CHECK_THROWS(VersionError, "format version 0", open_bytes(file));
}

TEST(container_refuses_unknown_incompatible_features_and_reads_on_with_compatible_ones) {
  Bytes file = small_file();
  file[16] = std::byte{0x20};
  seal(file);
  open_bytes(file).verify();
  file[12] = std::byte{0x04};
  file[14] = std::byte{0x10};
  seal(file);
  CHECK_THROWS(VersionError, "needs features 0x100004", open_bytes(file));
}

TEST(container_refuses_a_table_outside_the_file) {
  for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{63}, std::uint64_t{1} << 40, UINT64_MAX}) {
    Bytes file = small_file();
    std::memcpy(file.data() + file.size() - 16, &offset, 8);
    seal(file);
    CHECK_THROWS(CorruptIndexError, "section table outside the file", open_bytes(file));
  }
}

TEST(container_refuses_sizes_that_leave_the_file) {
  for (const std::uint64_t size :
       {std::uint64_t{9000}, std::uint64_t{1} << 40, UINT64_MAX - 4096, UINT64_MAX - 64, UINT64_MAX - 63, UINT64_MAX}) {
    ByteWriter table;
    table.u32(1);
    table.u64(size);
    table.u32(0);
    CHECK_THROWS(CorruptIndexError, "leaves the file", open_bytes(container_with_table(Bytes(8192), table)));
  }
}

TEST(container_refuses_sizes_that_add_up_past_the_file) {
  ByteWriter table;
  for (std::uint32_t tag = 1; tag <= 3; ++tag) {
    table.u32(tag);
    table.u64(64);
    table.u32(0);
  }
  CHECK_THROWS(CorruptIndexError, "leaves the file", open_bytes(container_with_table(Bytes(128), table)));
  CHECK_THROWS(CorruptIndexError, "between the last section", open_bytes(container_with_table(Bytes(256), table)));
  open_bytes(container_with_table(Bytes(192), table));
}

TEST(container_refuses_a_table_that_ends_early) {
  ByteWriter table;
  table.u32(1);
  table.u64(2 * kBlockBytes);
  table.u32(0);
  CHECK_THROWS(CorruptIndexError, "section ???? lacks checksums",
               open_bytes(container_with_table(Bytes(4096 - 64 + 2 * kBlockBytes), table)));
  ByteWriter half;
  half.u32(1);
  half.u32(0);
  CHECK_THROWS(CorruptIndexError, "section table", open_bytes(container_with_table({}, half)));
}

TEST(container_refuses_two_sections_of_one_name) {
  ByteWriter table;
  for (int i = 0; i < 2; ++i) {
    table.bytes("data", 4);
    table.u64(0);
  }
  CHECK_THROWS(CorruptIndexError, "two sections data", open_bytes(container_with_table({}, table)));
}

TEST(container_refuses_more_sections_than_its_limit) {
  ByteWriter table;
  for (std::uint32_t tag = 0; tag < 1025; ++tag) {
    table.u32(tag);
    table.u64(0);
  }
  CHECK_THROWS(CorruptIndexError, "more than 1024 sections", open_bytes(container_with_table({}, table)));
}
