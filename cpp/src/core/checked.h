// Size arithmetic that throws in place of wrapping.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>

namespace hopspan::core {

inline std::size_t checked_add(std::size_t a, std::size_t b) {
  if (a > SIZE_MAX - b) throw std::length_error("size overflow");
  return a + b;
}

inline std::size_t checked_mul(std::size_t a, std::size_t b) {
  if (b != 0 && a > SIZE_MAX / b) throw std::length_error("size overflow");
  return a * b;
}

}  // namespace hopspan::core
