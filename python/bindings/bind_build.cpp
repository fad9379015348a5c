// Building an index on disk.
#include <pybind11/numpy.h>
#include <pybind11/stl/filesystem.h>

#include <cstddef>
#include <cstdint>

#include "arguments.h"
#include "bindings.h"
#include "hopspan/build.h"

namespace hopspan::bindings {
namespace {

BuildOptions build_options(const py::dict& options, py::handle progress) {
  BuildOptions result;
  result.index.kind = Kind::kSpann;
  result.index.dim = integer(options["dim"], "dim");
  result.index.metric = metric_named(options["metric"]);
  result.index.dtype = dtype_named(options["dtype"]);
  result.index.seed = integer(options["seed"], "seed", std::numeric_limits<std::uint64_t>::max());
  result.index.spann = spann_options({}, options["options"].cast<py::dict>());
  result.memory = integer(options["memory"], "memory");
  result.threads = threads(options["threads"]);
  result.progress = [progress](const char* phase, std::size_t done, std::size_t total) {
    const py::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    if (!progress.is_none()) progress(phase, done, total);
  };
  return result;
}

void build_array(const py::array& rows, py::handle dtype, const std::filesystem::path& path, const py::dict& options,
                 py::handle progress) {
  const BuildOptions how = build_options(options, progress);
  const MatrixView view{rows.data(), static_cast<std::size_t>(rows.shape(0)), how.index.dim, dtype_named(dtype)};
  const py::gil_scoped_release released;
  build(view, path, how);
}

void build_file(const std::filesystem::path& file, py::handle offset, py::handle rows, py::handle dtype,
                const std::filesystem::path& path, const py::dict& options, py::handle progress) {
  const BuildOptions how = build_options(options, progress);
  const FileRows source{file, integer(offset, "offset"), integer(rows, "rows"), how.index.dim, dtype_named(dtype)};
  const py::gil_scoped_release released;
  build(source, path, how);
}

}  // namespace

void register_build(py::module_& module) { module.def("build_array", &build_array).def("build_file", &build_file); }

}  // namespace hopspan::bindings
