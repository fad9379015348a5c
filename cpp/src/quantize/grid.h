// The uniform grid of codes 0..top around zero: value v becomes the code round(v / step + top / 2), clamped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hopspan::quantize {

inline constexpr float kSmallestStep = 0x1p-100f;
inline constexpr float kLargestStep = 0x1p100f;

// The step with the least squared error over all but the few farthest values, among steps a few percent apart. At least
// one value; in the range of the two above.
float best_step(std::vector<float> values, int top);

// NaN, to which only values at the end of the range of float32 lead, becomes code 0.
inline int code_of(float value, float inverse_step, float top) {
  const float scaled = value * inverse_step + (top * 0.5f + 0.5f);
  const float above = scaled > 0.0f ? scaled : 0.0f;
  return static_cast<int>(above < top ? above : top);
}

}  // namespace hopspan::quantize
