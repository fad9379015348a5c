// The codes that serve rows best.
#pragma once

#include <cstddef>
#include <cstdint>

#include "quantize/quantizer.h"

namespace hopspan::quantize {

// The shortest codes that tell near rows of a sample apart well enough: of all dimensions, or of their principal ones
// where that is shorter. The same for one seed.
Quantizer choose_quantizer(const vectors::Matrix& rows, std::size_t threads, std::uint64_t seed);

// Whether they may be codes of principal dimensions.
bool may_project(const vectors::RowFormat& format);

}  // namespace hopspan::quantize
