// Making an index, and what it says about itself.
#include <string>

#include "arguments.h"
#include "bindings.h"
#include "call.h"

namespace hopspan::bindings {
namespace {

Index make(py::handle dim, py::handle metric, py::handle kind, py::handle dtype, py::handle seed,
           const py::dict& options) {
  py::dict given;
  given["dim"] = dim;
  given["metric"] = metric;
  given["kind"] = kind;
  given["dtype"] = dtype;
  given["seed"] = seed;
  return Index(index_options({}, given, options));
}

py::dict reads_as_dict(const ReadStats& reads) {
  py::dict result;
  result["searches"] = reads.searches;
  result["lists"] = reads.lists;
  result["vectors"] = reads.vectors;
  result["list_pages"] = reads.list_pages;
  result["pages"] = reads.pages;
  result["bytes"] = reads.bytes;
  result["round_trips"] = reads.round_trips;
  result["waiting_us"] = reads.waiting_us;
  result["computing_us"] = reads.computing_us;
  result["backend"] = reads.backend;
  return result;
}

py::dict log_as_dict(const LogStats& log) {
  py::dict result;
  result["generation"] = log.generation;
  result["snapshot_bytes"] = log.snapshot_bytes;
  result["log_bytes"] = log.log_bytes;
  result["syncs"] = log.syncs;
  result["compaction_error"] = log.compaction_error.empty() ? py::object(py::none()) : py::str(log.compaction_error);
  return result;
}

py::dict walks_as_dict(const WalkStats& walks) {
  py::dict result;
  result["searches"] = walks.searches;
  result["expansions"] = walks.expansions;
  result["distances"] = walks.distances;
  result["ranked"] = walks.ranked;
  result["lines"] = walks.lines;
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
  result["removed"] = stats.removed;
  result["pending"] = stats.pending;
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
  if (stats.walks) result["walks"] = walks_as_dict(*stats.walks);
  if (stats.reads) result["reads"] = reads_as_dict(*stats.reads);
  if (stats.log) result["log"] = log_as_dict(*stats.log);
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
