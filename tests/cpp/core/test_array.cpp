#include <cstdint>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "core/array.h"
#include "test.h"

using hopspan::core::Array;

TEST(array_owned_grows_with_zeros) {
  Array<std::uint32_t> array;
  CHECK_EQUAL(array.size(), 0U);
  array.resize(3);
  array.mutable_data()[2] = 7;
  array.resize(1000);
  CHECK_EQUAL(array[2], 7U);
  CHECK_EQUAL(array[999], 0U);
  CHECK(!array.mapped());
  CHECK(array.capacity_bytes() >= 4000);
}

TEST(array_view_borrows_and_keeps_its_owner) {
  auto owner = std::make_shared<std::vector<std::uint16_t>>(std::vector<std::uint16_t>{1, 2, 3});
  const std::uint16_t* const data = owner->data();
  auto view = Array<std::uint16_t>::view(data, 3, owner);
  const std::weak_ptr<const void> alive = owner;
  owner.reset();
  CHECK(!alive.expired());
  CHECK(view.mapped());
  CHECK(view.data() == data);
  CHECK_EQUAL(view.capacity_bytes(), 6U);
  view = Array<std::uint16_t>();
  view = Array<std::uint16_t>();
  CHECK(alive.expired());
}

TEST(array_write_turns_a_view_into_a_copy) {
  const auto owner = std::make_shared<std::vector<std::uint16_t>>(std::vector<std::uint16_t>{1, 2, 3});
  auto written = Array<std::uint16_t>::view(owner->data(), 3, owner);
  written.mutable_data()[0] = 9;
  CHECK(!written.mapped());
  CHECK_EQUAL(written[0], 9U);
  CHECK_EQUAL(written[2], 3U);
  CHECK_EQUAL((*owner)[0], 1U);

  auto grown = Array<std::uint16_t>::view(owner->data(), 3, owner);
  grown.resize(5);
  CHECK(!grown.mapped());
  CHECK_EQUAL(grown[1], 2U);
  CHECK_EQUAL(grown[4], 0U);

  auto shrunk = Array<std::uint16_t>::view(owner->data(), 3, owner);
  shrunk.resize(1);
  shrunk.resize(2);
  CHECK_EQUAL(shrunk[0], 1U);
  CHECK_EQUAL(shrunk[1], 0U);

  auto reserved = Array<std::uint16_t>::view(owner->data(), 3, owner);
  reserved.reserve(100);
  CHECK_EQUAL(reserved.size(), 3U);
  CHECK_EQUAL(reserved[2], 3U);
  CHECK(reserved.capacity_bytes() >= 200);
}

TEST(array_moved_from_is_empty) {
  Array<int> a;
  a.resize(4);
  a.mutable_data()[3] = 5;
  const Array<int> b(std::move(a));
  CHECK_EQUAL(b[3], 5);
  CHECK_EQUAL(a.size(), 0U);  // NOLINT: on purpose
  CHECK(a.data() == nullptr);
}

TEST(array_size_overflow_throws) {
  Array<std::uint64_t> array;
  array.resize(2);
  CHECK_THROWS(std::length_error, "size overflow", array.resize(SIZE_MAX / 4));
  CHECK_EQUAL(array.size(), 2U);
}
