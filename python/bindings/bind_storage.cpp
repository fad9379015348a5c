// Files and bytes.
#include <pybind11/stl/filesystem.h>

#include <cstddef>
#include <memory>
#include <vector>

#include "arguments.h"
#include "arrays.h"
#include "bindings.h"
#include "call.h"

namespace hopspan::bindings {
namespace {

Index load(const std::filesystem::path& path, bool map, bool verify, py::handle cache) {
  const LoadOptions options{map, verify, integer(cache, "cache")};
  const py::gil_scoped_release released;
  return Index::load(path, options);
}

void save(const Index& index, const std::filesystem::path& path) {
  const Call call(index);
  index.save(path);
}

// The array owns the bytes, so that pickle protocol 5 can hand them on without a copy.
py::array to_bytes(const Index& index) {
  auto bytes = std::make_unique<std::vector<std::byte>>();
  {
    const Call call(index);
    *bytes = index.to_bytes();
  }
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes->data());
  const auto size = static_cast<py::ssize_t>(bytes->size());
  const py::capsule owner(bytes.release(), [](void* held) { delete static_cast<std::vector<std::byte>*>(held); });
  return py::array_t<std::uint8_t>(size, data, owner);
}

Index from_bytes(const py::array_t<std::uint8_t, py::array::c_style>& bytes) {
  const std::uint8_t* data = bytes.data();
  const auto size = static_cast<std::size_t>(bytes.size());
  const py::gil_scoped_release released;
  return Index::from_bytes(data, size);
}

}  // namespace

void register_storage(IndexClass& index) {
  index.def_static("load", &load).def("save", &save).def("to_bytes", &to_bytes).def_static("from_bytes", &from_bytes);
}

}  // namespace hopspan::bindings
