#include <algorithm>
#include <cstdint>
#include <new>
#include <utility>

#include "core/buffer.h"
#include "test.h"

#if defined(__linux__)
#include <sys/mman.h>

#include <fstream>
#include <string>
#endif

using hopspan::core::Buffer;

namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

std::byte pattern(std::size_t i) { return static_cast<std::byte>(i * 31 + i / 4096 + 1); }

void fill(Buffer& buffer, std::size_t begin) {
  for (std::size_t i = begin; i < buffer.size(); ++i) buffer.data()[i] = pattern(i);
}

void check_filled(const Buffer& buffer, std::size_t end) {
  for (std::size_t i = 0; i < end; ++i) CHECK(buffer.data()[i] == pattern(i));
}

bool is_zero(const Buffer& buffer, std::size_t begin, std::size_t end) {
  return std::all_of(buffer.data() + begin, buffer.data() + end, [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

TEST(buffer_empty) {
  const Buffer buffer;
  CHECK_EQUAL(buffer.size(), 0U);
  CHECK_EQUAL(buffer.capacity(), 0U);
  CHECK(buffer.data() == nullptr);
}

TEST(buffer_is_aligned_and_zero) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{63}, std::size_t{4097}, kMiB - 1, kMiB, 3 * kMiB + 5}) {
    const Buffer buffer(size);
    CHECK_EQUAL(buffer.size(), size);
    CHECK_EQUAL(buffer.capacity(), size);
    CHECK_EQUAL(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64, 0U);
    CHECK(is_zero(buffer, 0, size));
  }
}

TEST(buffer_growth_keeps_bytes_and_adds_zeros) {
  Buffer buffer;
  std::size_t size = 0;
  for (const std::size_t next : {std::size_t{3}, std::size_t{5000}, kMiB - 1, kMiB + 7, 2 * kMiB, 9 * kMiB + 1}) {
    buffer.resize(next);
    check_filled(buffer, size);
    CHECK(is_zero(buffer, size, next));
    fill(buffer, size);
    size = next;
  }
  check_filled(buffer, size);
}

TEST(buffer_regrown_bytes_are_zero) {
  for (const std::size_t size : {std::size_t{1000}, 3 * kMiB}) {
    Buffer buffer(size);
    fill(buffer, 0);
    buffer.resize(size / 3);
    CHECK_EQUAL(buffer.capacity(), size);
    buffer.resize(size);
    check_filled(buffer, size / 3);
    CHECK(is_zero(buffer, size / 3, size));
  }
}

TEST(buffer_reserve_is_exact_and_resize_geometric) {
  Buffer buffer;
  buffer.reserve(1001);
  CHECK_EQUAL(buffer.capacity(), 1001U);
  CHECK_EQUAL(buffer.size(), 0U);
  buffer.reserve(10);
  CHECK_EQUAL(buffer.capacity(), 1001U);
  buffer.resize(1002);
  CHECK_EQUAL(buffer.capacity(), 1501U);
  buffer.resize(9000);
  CHECK_EQUAL(buffer.capacity(), 9000U);

  int moves = 0;
  for (std::size_t size = 9000; size < 8 * kMiB; size += 1000) {
    const std::size_t before = buffer.capacity();
    buffer.resize(size);
    moves += buffer.capacity() != before;
  }
  CHECK(moves < 20);
}

TEST(buffer_failure_changes_nothing) {
  for (const std::size_t size : {std::size_t{100}, 2 * kMiB}) {
    Buffer buffer(size);
    fill(buffer, 0);
    const std::byte* const data = buffer.data();
    for (const std::size_t huge : {SIZE_MAX, SIZE_MAX / 2, std::size_t{1} << 60}) {
      CHECK_THROWS(std::bad_alloc, "", buffer.reserve(huge));
      CHECK_THROWS(std::bad_alloc, "", buffer.resize(huge));
    }
    CHECK(buffer.data() == data);
    CHECK_EQUAL(buffer.size(), size);
    CHECK_EQUAL(buffer.capacity(), size);
    check_filled(buffer, size);
  }
}

TEST(buffer_moves) {
  Buffer a(100);
  fill(a, 0);
  Buffer b(std::move(a));
  check_filled(b, 100);
  Buffer c(2 * kMiB);
  c = std::move(b);
  CHECK_EQUAL(c.size(), 100U);
  check_filled(c, 100);
}

#if defined(__linux__)

namespace {

std::string smaps_flags(const void* address) {
  std::ifstream smaps("/proc/self/smaps");
  std::string line;
  bool inside = false;
  while (std::getline(smaps, line)) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    if (std::sscanf(line.c_str(), "%zx-%zx", &begin, &end) == 2) {
      inside = reinterpret_cast<std::uintptr_t>(address) >= begin && reinterpret_cast<std::uintptr_t>(address) < end;
    } else if (inside && line.rfind("VmFlags:", 0) == 0) {
      return line + " ";
    }
  }
  return "";
}

bool on_huge_pages(const Buffer& buffer) {
  const bool supported = std::ifstream("/sys/kernel/mm/transparent_hugepage/enabled").good();
  return reinterpret_cast<std::uintptr_t>(buffer.data()) % (2 * kMiB) == 0 &&
         (!supported || smaps_flags(buffer.data()).find(" hg ") != std::string::npos);
}

std::size_t resident_bytes(const Buffer& buffer) {
  std::vector<unsigned char> pages((buffer.capacity() + 4095) / 4096);
  CHECK_EQUAL(mincore(const_cast<std::byte*>(buffer.data()), buffer.capacity(), pages.data()), 0);
  return 4096 * static_cast<std::size_t>(std::count_if(pages.begin(), pages.end(), [](int page) { return page & 1; }));
}

}  // namespace

// Planted bug that turns it red: mremap without MREMAP_FIXED, or no madvise.
TEST(buffer_stays_on_huge_pages_when_it_must_move) {
  Buffer buffer(5 * kMiB);
  CHECK(on_huge_pages(buffer));
  fill(buffer, 0);
  for (int round = 0; round < 8; ++round) {
    const std::size_t size = buffer.size();
    // Somebody else's page right behind the buffer, unless one is there already.
    void* behind = buffer.data() + (buffer.capacity() + 65535) / 65536 * 65536;
    void* blocker = mmap(behind, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    buffer.resize(size + size / 3);
    CHECK(on_huge_pages(buffer));
    check_filled(buffer, size);
    CHECK(is_zero(buffer, size, buffer.size()));
    fill(buffer, size);
    munmap(blocker, 4096);
  }
}

TEST(buffer_room_costs_no_memory_until_used) {
  Buffer medium;
  medium.reserve(kMiB);
  medium.resize(1);
  medium.data()[0] = std::byte{1};
  CHECK(resident_bytes(medium) <= 65536);

  Buffer large;
  large.reserve(64 * kMiB);
  large.resize(3 * kMiB);
  fill(large, 0);
  CHECK(resident_bytes(large) <= 4 * kMiB);
}

#endif
