#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/random.h"
#include "test.h"
#include "vectors/convert.h"

using namespace hopspan::vectors;  // NOLINT: every function of the header

namespace {

using Narrow = void (*)(const void*, std::size_t, void*);
using Widen = void (*)(const void*, std::size_t, void*);

std::uint16_t narrow(Narrow convert, float value) {
  std::uint16_t half;
  convert(&value, 1, &half);
  return half;
}

float widen(Widen convert, std::uint16_t half) {
  float value;
  convert(&half, 1, &value);
  return value;
}

// The value that a half's bits stand for, from the definition.
double half_value(std::uint16_t half, int exponent_bits) {
  const int fraction_bits = 15 - exponent_bits;
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = (half & 0x7FFF) >> fraction_bits;
  const double fraction = half & ((1 << fraction_bits) - 1);
  const double magnitude = exponent == 0 ? std::ldexp(fraction, 1 - bias - fraction_bits)
                                         : std::ldexp(fraction + (1 << fraction_bits), exponent - bias - fraction_bits);
  return half & 0x8000 ? -magnitude : magnitude;
}

// Every finite half, the ties between neighbours and the floats next to the ties.
void check_rounding(Narrow convert, Widen back, int exponent_bits, std::uint16_t infinity) {
  for (std::uint16_t half = 0; half < infinity; ++half) {
    for (const std::uint16_t sign : {0x0000, 0x8000}) {
      const auto low = static_cast<std::uint16_t>(half | sign);
      const auto high = static_cast<std::uint16_t>(low + 1);
      const auto even = half % 2 == 0 ? low : high;
      const double exact = half_value(low, exponent_bits);
      CHECK(static_cast<double>(widen(back, low)) == exact);
      CHECK_EQUAL(narrow(convert, static_cast<float>(exact)), low);
      const double next = half_value(high, exponent_bits);
      const auto tie = static_cast<float>((exact + next) / 2);
      if (tie != (exact + next) / 2) continue;  // between bfloat16's smallest: no float32 lies there
      CHECK_EQUAL(narrow(convert, tie), even);
      CHECK_EQUAL(narrow(convert, std::nextafterf(tie, static_cast<float>(exact))), low);
      CHECK_EQUAL(narrow(convert, std::nextafterf(tie, static_cast<float>(next))), high);
    }
  }
}

template <typename Integer>
bool converts(float value, Integer expected) {
  Integer out = 77;
  return floats_to_integers<Integer>(&value, 1, &out) && out == expected;
}

template <typename Integer>
bool refused(float value) {
  Integer out;
  return !floats_to_integers<Integer>(&value, 1, &out);
}

}  // namespace

TEST(convert_float16_rounds_to_nearest_even) { check_rounding(narrow_to_float16, widen_float16, 5, kFloat16Exponent); }

TEST(convert_bfloat16_rounds_to_nearest_even) {
  check_rounding(narrow_to_bfloat16, widen_bfloat16, 8, kBFloat16Exponent);
}

TEST(convert_too_large_becomes_infinity) {
  const float largest = std::numeric_limits<float>::max();
  for (const float value : {65520.0F, 65536.0F, 1e10F, largest}) {
    CHECK_EQUAL(narrow(narrow_to_float16, value), 0x7C00);
    CHECK_EQUAL(narrow(narrow_to_float16, -value), 0xFC00);
  }
  CHECK_EQUAL(narrow(narrow_to_float16, 65519.996F), 0x7BFF);
  CHECK_EQUAL(narrow(narrow_to_bfloat16, largest), 0x7F80);
  CHECK_EQUAL(narrow(narrow_to_bfloat16, -largest), 0xFF80);
}

TEST(convert_widens_infinity_and_nan) {
  CHECK(std::isinf(widen(widen_float16, 0x7C00)));
  CHECK(widen(widen_float16, 0xFC00) < 0);
  CHECK(std::isnan(widen(widen_float16, 0x7C01)));
  CHECK(std::isnan(widen(widen_float16, 0xFFFF)));
  CHECK(std::isinf(widen(widen_bfloat16, 0x7F80)));
  CHECK(std::isnan(widen(widen_bfloat16, 0x7FC0)));
}

// Loops in vector registers and their remainders agree with one value at a time, at any alignment.
TEST(convert_runs_of_every_length_and_offset) {
  for (std::size_t count = 0; count < 40; ++count) {
    for (std::size_t offset = 0; offset < 4; ++offset) {
      std::vector<unsigned char> in(count * 4 + offset);
      std::vector<unsigned char> halves(count * 2 + offset);
      std::vector<unsigned char> integers(count + offset);
      for (std::size_t i = 0; i < count; ++i) store(in.data() + offset, i, static_cast<float>(i * 3));
      narrow_to_float16(in.data() + offset, count, halves.data() + offset);
      CHECK(floats_to_integers<std::uint8_t>(in.data() + offset, count, integers.data() + offset));
      for (std::size_t i = 0; i < count; ++i) {
        const auto half = load<std::uint16_t>(halves.data() + offset, i);
        CHECK(widen(widen_float16, half) == static_cast<float>(i * 3));
        CHECK_EQUAL(static_cast<std::size_t>(integers[offset + i]), i * 3);
      }
    }
  }
}

TEST(convert_integers_exactly_or_not_at_all) {
  for (int value = -128; value <= 127; ++value) {
    CHECK(converts<std::int8_t>(static_cast<float>(value), static_cast<std::int8_t>(value)));
  }
  for (int value = 0; value <= 255; ++value) {
    CHECK(converts<std::uint8_t>(static_cast<float>(value), static_cast<std::uint8_t>(value)));
  }
  CHECK(converts<std::int8_t>(-0.0F, 0));
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float value : {0.5F, 1e-30F, 127.00001F, 1e9F, 4294967297.0F, 12582912.0F, 3e38F, infinity, -infinity,
                            std::numeric_limits<float>::quiet_NaN()}) {
    CHECK(refused<std::int8_t>(value));
    CHECK(refused<std::uint8_t>(value));
    CHECK(refused<std::int8_t>(-value));
    CHECK(refused<std::uint8_t>(-value));
  }
  CHECK(refused<std::int8_t>(128.0F));
  CHECK(refused<std::int8_t>(-129.0F));
  CHECK(refused<std::uint8_t>(256.0F));
  CHECK(refused<std::uint8_t>(-1.0F));
}

TEST(convert_one_bad_value_in_a_run_is_seen) {
  for (std::size_t bad = 0; bad < 37; ++bad) {
    std::vector<float> values(37, 5.0F);
    std::vector<std::int8_t> out(37);
    values[bad] = 5.5F;
    CHECK(!floats_to_integers<std::int8_t>(values.data(), 37, out.data()));
    for (const float special : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::quiet_NaN()}) {
      CHECK(all_finite(values.data(), 37, kFloat32Exponent));
      values[bad] = special;
      CHECK(!all_finite(values.data(), 37, kFloat32Exponent));
      values[bad] = std::numeric_limits<float>::max();
    }
  }
}

TEST(convert_squared_norms) {
  for (const std::size_t count : {0, 1, 7, 8, 9, 100, 1023}) {
    std::vector<float> floats(count);
    std::vector<std::int8_t> integers(count);
    double expected = 0.0;
    double expected_integer = 0.0;
    for (std::size_t i = 0; i < count; ++i) {
      floats[i] = static_cast<float>(hopspan::core::random_unit(1, i) - 0.5);
      integers[i] = static_cast<std::int8_t>(hopspan::core::random_u64(2, i));
      expected += static_cast<double>(floats[i]) * floats[i];
      expected_integer += integers[i] * integers[i];
    }
    CHECK(std::abs(squared_norm_float32(floats.data(), count) - expected) <= 1e-13 * expected);
    CHECK_EQUAL(squared_norm_integer<std::int8_t>(integers.data(), count), expected_integer);
  }
  const std::vector<float> huge(100, 1e30F);
  CHECK(squared_norm_float32(huge.data(), 100) > 9e61);
  const std::vector<std::uint8_t> most(65536, 255);
  CHECK_EQUAL(squared_norm_integer<std::uint8_t>(most.data(), most.size()), 65536.0 * 255 * 255);
  const std::vector<std::int8_t> least(65536, -128);
  CHECK_EQUAL(squared_norm_integer<std::int8_t>(least.data(), least.size()), 65536.0 * 128 * 128);
}
