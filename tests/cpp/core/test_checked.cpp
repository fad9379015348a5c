#include <cstdint>
#include <stdexcept>

#include "core/checked.h"
#include "test.h"

using hopspan::core::checked_add;
using hopspan::core::checked_mul;

TEST(checked_arithmetic_at_the_limit) {
  CHECK_EQUAL(checked_add(SIZE_MAX - 1, 1), SIZE_MAX);
  CHECK_EQUAL(checked_mul(SIZE_MAX, 1), SIZE_MAX);
  CHECK_EQUAL(checked_mul(SIZE_MAX / 3, 3), SIZE_MAX / 3 * 3);
  CHECK_EQUAL(checked_mul(0, SIZE_MAX), 0U);
  CHECK_EQUAL(checked_mul(SIZE_MAX, 0), 0U);
}

TEST(checked_arithmetic_beyond_the_limit) {
  CHECK_THROWS(std::length_error, "size overflow", checked_add(SIZE_MAX, 1));
  CHECK_THROWS(std::length_error, "size overflow", checked_mul(SIZE_MAX / 3 + 1, 3));
  CHECK_THROWS(std::length_error, "size overflow", checked_mul(SIZE_MAX, SIZE_MAX));
}
