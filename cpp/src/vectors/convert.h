// Conversions between float32 and the stored element types, and the checks that go over elements. No pointer needs to
// be aligned; the loops are branchless so that the compiler vectorises them without ISA flags.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace hopspan::vectors {

template <typename T>
T load(const void* data, std::size_t i) {
  T value;
  std::memcpy(&value, static_cast<const unsigned char*>(data) + i * sizeof(T), sizeof(T));
  return value;
}

template <typename T>
void store(void* data, std::size_t i, T value) {
  std::memcpy(static_cast<unsigned char*>(data) + i * sizeof(T), &value, sizeof(T));
}

inline constexpr std::uint32_t kFloat32Exponent = 0x7F800000;
inline constexpr std::uint16_t kFloat16Exponent = 0x7C00;
inline constexpr std::uint16_t kBFloat16Exponent = 0x7F80;

// False when one of `count` floats, given as their bits, has every exponent bit set: NaN or infinity.
template <typename Bits>
bool all_finite(const void* data, std::size_t count, Bits exponent) {
  Bits bad = 0;
  for (std::size_t i = 0; i < count; ++i) bad |= static_cast<Bits>((load<Bits>(data, i) & exponent) == exponent);
  return bad == 0;
}

// Finite floats to the nearest value, ties to even; what is too large becomes infinity.
void narrow_to_float16(const void* floats, std::size_t count, void* out);
void narrow_to_bfloat16(const void* floats, std::size_t count, void* out);

void widen_float16(const void* halves, std::size_t count, void* out);
void widen_bfloat16(const void* halves, std::size_t count, void* out);

// False when some value is not an integer in the range of Integer; then `out` holds no meaning.
template <typename Integer>
bool floats_to_integers(const void* floats, std::size_t count, void* out);

// Whether floats are whole numbers 0..255, and no zero is a negative one.
bool are_bytes(const void* floats, std::size_t count);

// Sums of squares of `count` elements; for std::int8_t and std::uint8_t exact, up to kMaxDim elements.
double squared_norm_float32(const void* data, std::size_t count);
template <typename Integer>
double squared_norm_integer(const void* data, std::size_t count);

}  // namespace hopspan::vectors
