// The names of dtypes and metrics as users know them.
#pragma once

#include "hopspan/options.h"

namespace hopspan::vectors {

inline constexpr const char* kDTypeNames[] = {"float32", "float16", "bfloat16", "int8", "uint8", "binary"};
inline constexpr const char* kMetricNames[] = {"l2", "ip", "cosine", "hamming"};

constexpr const char* name(DType dtype) { return kDTypeNames[static_cast<std::uint8_t>(dtype)]; }
constexpr const char* name(Metric metric) { return kMetricNames[static_cast<std::uint8_t>(metric)]; }

}  // namespace hopspan::vectors
