// Adding, removing and reading back vectors.
#include <pybind11/stl.h>

#include <optional>
#include <string>
#include <vector>

#include "arguments.h"
#include "arrays.h"
#include "bindings.h"
#include "call.h"

namespace hopspan::bindings {
namespace {

py::array add(Index& index, py::handle vectors, const std::optional<Ids>& ids, py::handle progress,
              py::handle thread_count) {
  if (!progress.is_none() && PyCallable_Check(progress.ptr()) == 0) {
    throw py::type_error("progress must be callable as progress(done, total)");
  }
  const Vectors rows = read_vectors(index, vectors, "vectors");
  if (ids && static_cast<std::size_t>(ids->size()) != rows.view.rows) {
    throw py::value_error("there are " + std::to_string(ids->size()) + " ids for " + std::to_string(rows.view.rows) +
                          " vectors");
  }
  AddOptions options;
  options.threads = threads(thread_count);
  options.progress = Tick(index, progress);
  const std::int64_t* given = ids ? ids->data() : nullptr;
  std::vector<std::int64_t> added;
  {
    const Call call(index);
    added = index.add(rows.view, given, options);
  }
  return py::array_t<std::int64_t>(static_cast<py::ssize_t>(added.size()), added.data());
}

std::size_t remove(Index& index, const Ids& ids, py::handle thread_count) {
  AddOptions options;
  options.threads = threads(thread_count);
  options.progress = Tick(index);
  const Call call(index);
  return index.remove(ids.data(), static_cast<std::size_t>(ids.size()), options);
}

// One element of a row of `get`, which is bytes for binary vectors and bits for bfloat16.
py::dtype element(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return py::dtype("float32");
    case DType::kFloat16:
      return py::dtype("float16");
    case DType::kBFloat16:
      return py::dtype("uint16");
    case DType::kInt8:
      return py::dtype("int8");
    case DType::kUInt8:
    case DType::kBinary:
      break;
  }
  return py::dtype("uint8");
}

py::array get(const Index& index, const Ids& ids) {
  const py::dtype dtype = element(index.options().dtype);
  const auto columns = static_cast<py::ssize_t>(index.row_bytes()) / dtype.itemsize();
  py::array result(dtype, {ids.size(), columns});
  void* out = result.mutable_data();
  {
    const Call call(index);
    index.get(ids.data(), static_cast<std::size_t>(ids.size()), out);
  }
  return result;
}

bool contains(const Index& index, std::int64_t id) {
  const Call call(index);
  return index.contains(id);
}

}  // namespace

void register_vectors(IndexClass& index) {
  index.def("add", &add).def("remove", &remove).def("get", &get).def("__contains__", &contains);
}

}  // namespace hopspan::bindings
