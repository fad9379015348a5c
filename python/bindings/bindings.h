// The parts of the extension module, one registration for each concept.
#pragma once

#include <pybind11/pybind11.h>

#include "hopspan/index.h"

namespace hopspan::bindings {

namespace py = pybind11;

using IndexClass = py::class_<Index>;

void register_errors();
void register_build(py::module_& module);
IndexClass register_index(py::module_& module);
void register_vectors(IndexClass& index);
void register_search(IndexClass& index);
void register_storage(IndexClass& index);
void register_durable(py::module_& module);

}  // namespace hopspan::bindings
