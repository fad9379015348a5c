// Searching, and the calibration of its effort.
#include <limits>
#include <vector>

#include "arguments.h"
#include "arrays.h"
#include "bindings.h"
#include "call.h"

namespace hopspan::bindings {
namespace {

constexpr std::uint64_t kMaxK = std::numeric_limits<std::uint32_t>::max();  // more than an index can hold

py::tuple search(const Index& index, py::handle queries, py::handle k, py::handle recall, py::handle ef,
                 py::handle nprobe, py::handle thread_count) {
  SearchOptions options;
  options.k = integer(k, "k", kMaxK);
  options.recall = optional_real(recall, "recall");
  options.ef = optional_integer(ef, "ef");
  options.nprobe = optional_integer(nprobe, "nprobe");
  options.threads = threads(thread_count);
  options.progress = Tick(index);
  const Vectors rows = read_vectors(index, queries, "queries");
  py::array_t<std::int64_t> ids = make_results<std::int64_t>(rows, options.k);
  py::array_t<float> distances = make_results<float>(rows, options.k);
  std::int64_t* ids_out = ids.mutable_data();
  float* distances_out = distances.mutable_data();
  {
    const Call call(index);
    index.search(rows.view, options, ids_out, distances_out);
  }
  return py::make_tuple(std::move(ids), std::move(distances));
}

py::list tune(Index& index, py::handle queries, py::handle k, py::handle thread_count) {
  TuneOptions options;
  options.k = integer(k, "k", kMaxK);
  options.threads = threads(thread_count);
  options.progress = Tick(index);
  Vectors rows{};
  rows.view.dim = index.options().dim;
  if (!queries.is_none()) rows = read_vectors(index, queries, "queries");
  std::vector<TunePoint> points;
  {
    const Call call(index);
    points = index.tune(rows.view, options);
  }
  py::list table;
  for (const TunePoint& point : points)
    table.append(py::make_tuple(point.recall, point.effort, point.qps, point.graph_loss, point.code_loss));
  return table;
}

}  // namespace

void register_search(IndexClass& index) { index.def("search", &search).def("tune", &tune); }

}  // namespace hopspan::bindings
