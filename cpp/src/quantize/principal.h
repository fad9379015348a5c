// The directions in which rows vary most.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "quantize/sample.h"

namespace hopspan::quantize {

// `count` orthonormal rows of sample.dim floats that nearly are the directions in which the squared length of the
// sample's rows is largest, the largest first: block power iteration on their second moments. count <= sample.dim.
std::vector<float> principal_directions(const Sample& sample, std::size_t count, std::size_t threads,
                                        std::uint64_t seed);

// The first `count` rows of dim floats, rotated at random among themselves.
std::vector<float> mixed(const std::vector<float>& directions, std::size_t count, std::size_t dim, std::size_t threads,
                         std::uint64_t seed);

}  // namespace hopspan::quantize
