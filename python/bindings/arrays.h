// NumPy arrays as the library's matrices.
#pragma once

#include <pybind11/numpy.h>

#include <cstdint>

#include "bindings.h"

namespace hopspan::bindings {

// Ids as hopspan._inputs makes them: one contiguous dimension.
using Ids = py::array_t<std::int64_t, py::array::c_style>;

// The vectors of one call.
struct Vectors {
  py::array array;  // keeps the view's memory
  MatrixView view;
  bool single;  // they came as one vector of shape (dim,)
};

// An array for the results of `queries`: (rows, k), or (k,) for a single query.
template <typename T>
py::array_t<T> make_results(const Vectors& queries, std::size_t k);

// `value` itself where it is an ordinary float32 array, and otherwise what hopspan._inputs.to_matrix makes of it.
// name: the argument, for messages.
Vectors read_vectors(const Index& index, py::handle value, const char* name);

}  // namespace hopspan::bindings
