#include "arrays.h"

#include "arguments.h"

namespace hopspan::bindings {
namespace {

using py::detail::npy_api;

bool is_float32(const py::array& array) {
  const auto descr = py::reinterpret_steal<py::object>(npy_api::get().PyArray_DescrFromType_(npy_api::NPY_FLOAT_));
  return py::detail::array_proxy(array.ptr())->descr == descr.ptr();
}

bool is_ordinary(py::handle value, std::size_t dim) {
  const npy_api& api = npy_api::get();
  if (Py_TYPE(value.ptr()) != api.PyArray_Type_) return false;
  const auto* array = py::detail::array_proxy(value.ptr());
  constexpr int kFlags = npy_api::NPY_ARRAY_C_CONTIGUOUS_ | npy_api::NPY_ARRAY_ALIGNED_;
  return (array->nd == 1 || array->nd == 2) && static_cast<std::size_t>(array->dimensions[array->nd - 1]) == dim &&
         (array->flags & kFlags) == kFlags && is_float32(py::reinterpret_borrow<py::array>(value));
}

}  // namespace

// Straight from NumPy: py::array computes strides of its own, which takes longer than a search of a small index.
template <typename T>
py::array_t<T> make_results(const Vectors& queries, std::size_t k) {
  const npy_api& api = npy_api::get();
  const Py_intptr_t shape[] = {static_cast<Py_intptr_t>(queries.view.rows), static_cast<Py_intptr_t>(k)};
  const int skipped = queries.single ? 1 : 0;
  PyObject* descr = api.PyArray_DescrFromType_(py::detail::npy_format_descriptor<T>::value);
  PyObject* array =
      api.PyArray_NewFromDescr_(api.PyArray_Type_, descr, 2 - skipped, shape + skipped, nullptr, nullptr, 0, nullptr);
  if (array == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::array_t<T>>(array);
}

template py::array_t<std::int64_t> make_results(const Vectors&, std::size_t);
template py::array_t<float> make_results(const Vectors&, std::size_t);

Vectors read_vectors(const Index& index, py::handle value, const char* name) {
  const IndexOptions& options = index.options();
  py::array array;
  if (options.dtype != DType::kBinary && is_ordinary(value, options.dim)) {
    array = py::reinterpret_borrow<py::array>(value);
  } else {
    array = py::module_::import("hopspan._inputs").attr("to_matrix")(value, options.dim, name_of(options.dtype), name);
  }
  const bool single = array.ndim() == 1;
  const std::size_t rows = single ? 1 : static_cast<std::size_t>(array.shape(0));
  const DType dtype = is_float32(array) ? DType::kFloat32 : options.dtype;
  const MatrixView view{array.data(), rows, options.dim, dtype};
  return {std::move(array), view, single};
}

}  // namespace hopspan::bindings
