#include "vectors/convert.h"

#include <limits>

namespace hopspan::vectors {
namespace {

std::uint32_t bits_of(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

float float_of(std::uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// A choice that the compiler cannot turn back into a branch.
std::int32_t select(bool condition, std::int32_t yes, std::int32_t no) {
  const std::int32_t mask = -static_cast<std::int32_t>(condition);
  return (yes & mask) | (no & ~mask);
}

std::uint16_t to_float16(std::uint32_t bits) {
  const auto magnitude = static_cast<std::int32_t>(bits & 0x7FFFFFFF);
  constexpr std::int32_t infinite = (127 + 16) << 23;
  const std::int32_t limited = select(magnitude < infinite, magnitude, infinite);
  // 13 bits go; adding half of the last kept bit, less one where that bit is even, makes the carry round ties to even.
  const std::int32_t normal = (limited + 0xFFF + (limited >> 13 & 1) - ((127 - 15) << 23)) >> 13;
  // Below 2^-14 adding 0.5 lines the float's last bit up with the half's, and the addition rounds.
  const auto shifted = bits_of(float_of(static_cast<std::uint32_t>(limited)) + 0.5F);
  const auto subnormal = static_cast<std::int32_t>(shifted - bits_of(0.5F));
  const std::int32_t half = select(limited < (127 - 14) << 23, subnormal, normal);
  return static_cast<std::uint16_t>((bits >> 16 & 0x8000) | static_cast<std::uint32_t>(half));
}

std::uint16_t to_bfloat16(std::uint32_t bits) {
  return static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

std::uint32_t from_float16(std::uint16_t half) {
  const auto magnitude = static_cast<std::int32_t>(half & 0x7FFF);
  const std::int32_t shifted = magnitude << 13;
  const std::int32_t normal = shifted + ((127 - 15) << 23);
  // As the fraction of a float in [2^-14, 2^-13), whose leading 1 is then taken away.
  const float one_more = float_of(static_cast<std::uint32_t>(shifted + ((127 - 14) << 23)));
  const auto subnormal = static_cast<std::int32_t>(bits_of(one_more - 0x1p-14F));
  const std::int32_t finite = select(magnitude < 0x400, subnormal, normal);
  const std::int32_t special = shifted | static_cast<std::int32_t>(kFloat32Exponent);
  return static_cast<std::uint32_t>(select(magnitude >= kFloat16Exponent, special, finite)) | (half & 0x8000U) << 16;
}

}  // namespace

void narrow_to_float16(const void* floats, std::size_t count, void* out) {
  for (std::size_t i = 0; i < count; ++i) store(out, i, to_float16(load<std::uint32_t>(floats, i)));
}

void narrow_to_bfloat16(const void* floats, std::size_t count, void* out) {
  for (std::size_t i = 0; i < count; ++i) store(out, i, to_bfloat16(load<std::uint32_t>(floats, i)));
}

void widen_float16(const void* halves, std::size_t count, void* out) {
  for (std::size_t i = 0; i < count; ++i) store(out, i, from_float16(load<std::uint16_t>(halves, i)));
}

void widen_bfloat16(const void* halves, std::size_t count, void* out) {
  for (std::size_t i = 0; i < count; ++i) {
    store(out, i, static_cast<std::uint32_t>(load<std::uint16_t>(halves, i)) << 16);
  }
}

// Of a value that is one; of any other, some number that is not equal to it.
std::int32_t small_integer(float value) {
  constexpr float magic = 0x1.8p23F;  // its last bit is worth 1, so a small integer added to it shows in the low bits
  return static_cast<std::int32_t>(bits_of(value + magic) - bits_of(magic));
}

template <typename Integer>
bool floats_to_integers(const void* floats, std::size_t count, void* out) {
  constexpr std::int32_t low = std::numeric_limits<Integer>::min();
  constexpr std::int32_t high = std::numeric_limits<Integer>::max();
  std::uint32_t bad = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const float value = load<float>(floats, i);
    const std::int32_t integer = small_integer(value);
    bad |= static_cast<std::uint32_t>(static_cast<float>(integer) != value) |
           static_cast<std::uint32_t>(integer < low) | static_cast<std::uint32_t>(integer > high);
    store(out, i, static_cast<Integer>(integer));
  }
  return bad == 0;
}

template bool floats_to_integers<std::int8_t>(const void*, std::size_t, void*);
template bool floats_to_integers<std::uint8_t>(const void*, std::size_t, void*);

bool are_bytes(const void* floats, std::size_t count) {
  std::uint32_t bad = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const float value = load<float>(floats, i);
    const std::int32_t integer = small_integer(value);
    bad |= static_cast<std::uint32_t>(bits_of(static_cast<float>(integer)) != bits_of(value)) |
           static_cast<std::uint32_t>(integer < 0) | static_cast<std::uint32_t>(integer > 255);
  }
  return bad == 0;
}

double squared_norm_float32(const void* data, std::size_t count) {
  constexpr std::size_t kLanes = 8;
  double sums[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const double value = load<float>(data, i + lane);
      sums[lane] += value * value;
    }
  }
  for (; i < count; ++i) {
    const double value = load<float>(data, i);
    sums[0] += value * value;
  }
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

template <typename Integer>
double squared_norm_integer(const void* data, std::size_t count) {
  std::uint32_t sum = 0;  // 65,536 times 255^2 fits
  for (std::size_t i = 0; i < count; ++i) {
    const std::int32_t value = load<Integer>(data, i);
    sum += static_cast<std::uint32_t>(value * value);
  }
  return sum;
}

template double squared_norm_integer<std::int8_t>(const void*, std::size_t);
template double squared_norm_integer<std::uint8_t>(const void*, std::size_t);

}  // namespace hopspan::vectors
