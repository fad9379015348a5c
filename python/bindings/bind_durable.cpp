// The index in a folder.
#include <pybind11/stl/filesystem.h>

#include <optional>
#include <string>

#include "arguments.h"
#include "bindings.h"
#include "call.h"
#include "hopspan/durable.h"

namespace hopspan::bindings {
namespace {

OpenMode mode_named(py::handle value) {
  if (!py::isinstance<py::str>(value)) {
    throw py::type_error("mode must be 'r' or 'a', not " + py::repr(value).cast<std::string>());
  }
  const auto name = value.cast<std::string>();
  if (name != "r" && name != "a") throw py::value_error("mode must be 'r' or 'a', not '" + name + "'");
  return name == "a" ? OpenMode::kAppend : OpenMode::kRead;
}

// given, options: what the caller said of the index, which is all of it for a new one.
DurableIndex open(const std::filesystem::path& path, py::handle mode, py::handle sync, py::handle thread_count,
                  const py::dict& given, const py::dict& options) {
  OpenOptions how;
  how.mode = mode_named(mode);
  how.sync = boolean(sync, "sync");
  how.threads = threads(thread_count);
  std::optional<IndexOptions> stored;
  {
    const py::gil_scoped_release released;
    stored = DurableIndex::options_at(path);
  }
  const bool is_new = !stored && how.mode == OpenMode::kAppend && given.contains("dim");
  if (is_new || (stored && !(given.empty() && options.empty()))) {
    how.create = index_options(stored.value_or(IndexOptions()), given, options);
  }
  const py::gil_scoped_release released;
  return DurableIndex::open(path, how);
}

void flush(DurableIndex& index) {
  const Call call(index);
  index.flush();
}

void compact(DurableIndex& index) {
  const Call call(index);
  index.compact();
}

bool refresh(DurableIndex& index) {
  const Call call(index);
  return index.refresh();
}

void close(DurableIndex& index) {
  const Call call(index);
  index.close();
}

py::tuple recovery(const DurableIndex& index) {
  Recovery found;
  {
    const Call call(index);
    found = index.recovery();
  }
  return py::make_tuple(found.generation, found.snapshot_vectors, found.records, found.vectors, found.dropped_bytes,
                        found.removed_files);
}

}  // namespace

void register_durable(py::module_& module) {
  using DurableClass = py::class_<DurableIndex, Index>;
  DurableClass(module, "DurableIndex", py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type)))
      .def(py::init(&open))
      .def("flush", &flush)
      .def("compact", &compact)
      .def("refresh", &refresh)
      .def("close", &close)
      .def("recovery", &recovery);
}

}  // namespace hopspan::bindings
