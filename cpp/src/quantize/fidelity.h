// How well codes tell distances, by a sample of rows.
#pragma once

#include <cmath>
#include <limits>

#include "quantize/sample.h"

namespace hopspan::quantize {

class Quantizer;

struct Fidelity {
  // How far codes overstate a squared distance, over its root, but for one near row in a hundred; unknown under ip.
  float deviation = std::numeric_limits<float>::infinity();
  // Rows of the sample that are as near by their codes as the last of the ten nearest is; in the mean.
  double candidates = 0.0;

  // What a squared distance is at least when codes make it `coded`.
  float least(float coded) const noexcept { return coded > 0.0f ? coded - deviation * std::sqrt(coded) : coded; }
};

Fidelity measure_fidelity(const Quantizer& quantizer, const Sample& sample);

}  // namespace hopspan::quantize
