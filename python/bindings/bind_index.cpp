// Making an index, and what it says about itself.
#include <string>

#include "arguments.h"
#include "bindings.h"
#include "call.h"

namespace hopspan::bindings {
namespace {

constexpr std::uint64_t kMaxUint32 = std::numeric_limits<std::uint32_t>::max();

HnswOptions hnsw_options(const py::dict& options) {
  HnswOptions result;
  for (const auto& [key, value] : options) {
    const std::string name = key.cast<std::string>();
    if (name == "M") {
      result.M = static_cast<std::uint32_t>(integer(value, "M", kMaxUint32));
    } else if (name == "ef_construction") {
      result.ef_construction = static_cast<std::uint32_t>(integer(value, "ef_construction", kMaxUint32));
    } else if (name == "extend_candidates") {
      result.extend_candidates = boolean(value, "extend_candidates");
    } else if (name == "keep_pruned_connections") {
      result.keep_pruned_connections = boolean(value, "keep_pruned_connections");
    } else if (name == "codes") {
      result.codes = codes_named(value);
    } else {
      throw py::type_error("unknown option '" + name + "' for kind 'hnsw'");
    }
  }
  return result;
}

Index make(py::handle dim, py::handle metric, py::handle kind, py::handle dtype, py::handle seed,
           const py::dict& options) {
  IndexOptions result;
  result.dim = integer(dim, "dim");
  result.metric = metric_named(metric);
  result.kind = kind_named(kind);
  result.dtype = dtype_named(dtype);
  result.seed = integer(seed, "seed", std::numeric_limits<std::uint64_t>::max());
  if (result.kind == Kind::kHnsw) {
    result.hnsw = hnsw_options(options);
  } else if (result.kind == Kind::kSpann) {
    result.spann = spann_options(options);
  } else if (!options.empty()) {
    const std::string name = options.begin()->first.cast<std::string>();
    throw py::type_error("unknown option '" + name + "' for kind '" + name_of(result.kind) + "'");
  }
  return Index(result);
}

py::dict reads_as_dict(const ReadStats& reads) {
  py::dict result;
  result["searches"] = reads.searches;
  result["fetched"] = reads.fetched;
  result["pages"] = reads.pages;
  result["bytes"] = reads.bytes;
  result["round_trips"] = reads.round_trips;
  result["waiting_us"] = reads.waiting_us;
  result["backend"] = reads.backend;
  return result;
}

py::dict stats(const Index& index) {
  Stats stats;
  {
    const Call call(index);
    stats = index.stats();
  }
  py::dict bytes;
  for (const auto& [part, size] : stats.bytes) bytes[py::str(part)] = size;
  py::dict result;
  result["size"] = stats.size;
  result["bytes"] = bytes;
  result["mapped"] = stats.mapped;
  if (index.options().kind == Kind::kHnsw) {
    py::list levels;
    for (const std::size_t size : stats.level_sizes) levels.append(size);
    result["level_sizes"] = levels;
    result["mean_degree"] = stats.mean_degree;
    result["max_degree"] = stats.max_degree;
    result["codes"] = name_of(stats.codes);
  }
  if (index.options().kind == Kind::kSpann) {
    py::list sizes;
    for (const std::size_t size : stats.list_sizes) sizes.append(size);
    result["list_sizes"] = sizes;
  }
  if (stats.reads) result["reads"] = reads_as_dict(*stats.reads);
  return result;
}

py::tuple check(const Index& index, bool deep) {
  CheckReport report;
  {
    const Call call(index);
    report = index.check(deep);
  }
  return py::make_tuple(report.vectors, report.links, report.reachable);
}

}  // namespace

IndexClass register_index(py::module_& module) {
  IndexClass index(module, "Index", py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type)));
  index.def(py::init(&make))
      .def("__len__", &Index::size)
      .def_property_readonly("dim", [](const Index& self) { return self.options().dim; })
      .def_property_readonly("metric", [](const Index& self) { return name_of(self.options().metric); })
      .def_property_readonly("kind", [](const Index& self) { return name_of(self.options().kind); })
      .def_property_readonly("dtype", [](const Index& self) { return name_of(self.options().dtype); })
      .def("stats", &stats)
      .def("check", &check);
  return index;
}

}  // namespace hopspan::bindings
