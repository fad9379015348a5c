// A borrowed row-major block of vectors.
#pragma once

#include <cstddef>

#include "hopspan/options.h"

namespace hopspan {

// `data` holds `rows` consecutive vectors of `dim` elements of `dtype`, without gaps.
struct MatrixView {
  const void* data = nullptr;
  std::size_t rows = 0;
  std::size_t dim = 0;
  DType dtype = DType::kFloat32;
};

}  // namespace hopspan
