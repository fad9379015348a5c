#include "quantize/grid.h"

#include <algorithm>
#include <cmath>

namespace hopspan::quantize {
namespace {

double squared_error(const std::vector<float>& values, double step, int top) {
  const double inverse = 1.0 / step;
  const double zero = top / 2.0;
  double sum = 0.0;
  for (const float value : values) {
    const double scaled = value * inverse + zero;
    const double code = std::floor(std::min(std::max(scaled, 0.0), static_cast<double>(top)) + 0.5);
    sum += (scaled - code) * (scaled - code);
  }
  return sum * step * step;
}

// One value in ten thousand: a few that lie far out would make the grid coarse for all.
void drop_farthest(std::vector<float>& values) {
  const auto kept = values.end() - static_cast<std::ptrdiff_t>(values.size() / 10000);
  if (kept == values.end()) return;
  std::nth_element(values.begin(), kept, values.end(), [](float a, float b) { return std::fabs(a) < std::fabs(b); });
  values.erase(kept, values.end());
}

}  // namespace

float best_step(std::vector<float> values, int top) {
  constexpr double kRatio = 1.06;
  drop_farthest(values);
  double squares = 0.0, largest = 0.0;
  for (const float value : values) {
    squares += static_cast<double>(value) * value;
    largest = std::max(largest, std::fabs(static_cast<double>(value)));
  }
  // From a grid that reaches no further than the root mean square to one that holds every value.
  const double first =
      std::max(std::sqrt(squares / static_cast<double>(values.size())) * 2.0 / top, double{kSmallestStep});
  const double last = std::min(std::max(largest * 2.0 / top, first), double{kLargestStep});
  double best = last, least = squared_error(values, best, top);
  for (double step = last / kRatio; step > first; step /= kRatio) {
    const double error = squared_error(values, step, top);
    if (error < least) best = step, least = error;
  }
  return static_cast<float>(best);
}

}  // namespace hopspan::quantize
