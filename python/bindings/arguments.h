// Python scalars as the library's options. A wrong type is a TypeError and a wrong value a ValueError; both name it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

#include "bindings.h"

namespace hopspan::bindings {

// Any object with __index__, from 0 to `max`. Narrower limits are the library's to check.
std::uint64_t integer(py::handle value, const char* name, std::uint64_t max = std::numeric_limits<std::int64_t>::max());

std::optional<std::size_t> optional_integer(py::handle value, const char* name);
std::optional<double> optional_real(py::handle value, const char* name);
bool boolean(py::handle value, const char* name);

// None is 0, which stands for every processor.
std::size_t threads(py::handle value);

SpannOptions spann_options(SpannOptions base, const py::dict& options);
// base, with what is given in its place: dim, metric, kind, dtype and seed of `given`, and the kind's own `options`.
IndexOptions index_options(IndexOptions base, const py::dict& given, const py::dict& options);
Metric metric_named(py::handle name);
Kind kind_named(py::handle name);
CodeKind codes_named(py::handle name);
DType dtype_named(py::handle name);
const char* name_of(Metric metric);
const char* name_of(CodeKind codes);
const char* name_of(Kind kind);
const char* name_of(DType dtype);

}  // namespace hopspan::bindings
