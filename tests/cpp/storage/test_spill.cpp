#include <array>
#include <cstring>
#include <vector>

#include "core/array.h"
#include "storage/spill.h"
#include "test.h"

using namespace hopspan;           // NOLINT
using namespace hopspan::storage;  // NOLINT

namespace {

std::byte pattern(std::size_t i) { return static_cast<std::byte>((i * 31 + i / 255) & 0xFF); }

bool holds(const Spill& spill, std::size_t from, std::size_t to) {
  std::vector<std::byte> read(to - from);
  spill.read(from, read.data(), read.size());
  for (std::size_t i = from; i < to; ++i) {
    if (read[i - from] != pattern(i)) return false;
  }
  return true;
}

}  // namespace

TEST(spill_keeps_its_bytes_as_it_grows_and_forgets) {
  if (!Spill::available()) return;
  Spill spill;
  std::size_t filled = 0;
  for (const std::size_t size : {1U, 65536U, 65537U, 1000000U, 5000000U}) {
    std::byte* const bytes = spill.resize(size);
    for (std::size_t i = 0; i < filled; ++i) CHECK(bytes[i] == pattern(i));
    for (std::size_t i = filled; i < size; ++i) CHECK(bytes[i] == std::byte{0});
    for (; filled < size; ++filled) bytes[filled] = pattern(filled);
    spill.forget();
    CHECK(holds(spill, 0, size));
    CHECK(bytes[size - 1] == pattern(size - 1));
  }
  CHECK(holds(spill, 70000, 70001));
}

TEST(array_grows_and_shrinks_in_a_spill) {
  if (!Spill::available()) return;
  core::Array<std::uint32_t> in_memory;
  in_memory.resize(1000);
  for (std::uint32_t i = 0; i < 1000; ++i) in_memory.mutable_data()[i] = i;
  core::Array<std::uint32_t> array = in_memory.copy_in(std::make_unique<Spill>());
  CHECK(array.elsewhere() != nullptr);
  CHECK(in_memory.elsewhere() == nullptr);
  array.resize(300000);
  CHECK_EQUAL(array[999], 999U);
  CHECK_EQUAL(array[299999], 0U);
  array.mutable_data()[299999] = 7;
  array.resize(2000);
  array.resize(300000);
  CHECK_EQUAL(array[999], 999U);
  CHECK_EQUAL(array[299999], 0U);
  core::Array<std::uint32_t> moved = std::move(array);
  CHECK_EQUAL(moved[500], 500U);
}
