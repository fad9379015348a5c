#include "arguments.h"

#include <array>
#include <string>

namespace hopspan::bindings {
namespace {

// Each enumerator's name stands at its value.
constexpr std::array<const char*, 4> kMetrics = {"l2", "ip", "cosine", "hamming"};
constexpr std::array<const char*, 3> kKinds = {"flat", "hnsw", "spann"};
constexpr std::array<const char*, 4> kCodes = {"auto", "none", "sq8", "sq4"};
constexpr std::array<const char*, 2> kPlaces = {"memory", "disk"};
constexpr std::array<const char*, 3> kProfiles = {"balanced", "fast", "compact"};
constexpr std::array<const char*, 2> kClosures = {"rng", "soar"};
constexpr std::uint64_t kMaxUint32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::array<const char*, 6> kDTypes = {"float32", "float16", "bfloat16", "int8", "uint8", "binary"};

std::string quoted(py::handle value) { return py::repr(value).cast<std::string>(); }

std::string type_name(py::handle value) { return Py_TYPE(value.ptr())->tp_name; }

template <typename Enum, std::size_t N>
Enum named(py::handle name, const char* what, const std::array<const char*, N>& names) {
  if (!py::isinstance<py::str>(name)) {
    throw py::type_error(std::string(what) + " must be a string, not " + type_name(name));
  }
  const std::string text = name.cast<std::string>();
  std::string known;
  for (std::size_t i = 0; i < N; ++i) {
    if (text == names[i]) return static_cast<Enum>(i);
    known += (i == 0 ? "'" : ", '") + std::string(names[i]) + "'";
  }
  throw py::value_error(std::string(what) + " must be one of " + known + ", not " + quoted(name));
}

HnswOptions hnsw_options(HnswOptions result, const py::dict& options) {
  if (options.contains("profile")) result = options_of(named<Profile>(options["profile"], "profile", kProfiles));
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
    } else if (name == "vectors") {
      result.vectors = named<Place>(value, "vectors", kPlaces);
    } else if (name != "profile") {
      throw py::type_error("unknown option '" + name + "' for kind 'hnsw'");
    }
  }
  return result;
}

// 0 stands for what serves, which a caller says by not giving it.
std::uint32_t given(py::handle value, const char* name) {
  const std::size_t number = integer(value, name, kMaxUint32);
  if (number == 0) throw py::value_error(std::string(name) + " must be at least 1, not 0");
  return static_cast<std::uint32_t>(number);
}

}  // namespace

std::uint64_t integer(py::handle value, const char* name, std::uint64_t max) {
  const auto number = py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
  if (!number) {
    PyErr_Clear();
    throw py::type_error(std::string(name) + " must be an integer, not " + type_name(value));
  }
  const std::uint64_t result = PyLong_AsUnsignedLongLong(number.ptr());
  const bool overflow = PyErr_Occurred() != nullptr;
  PyErr_Clear();
  if (overflow || result > max) {
    const bool negative = number < py::int_(0);
    throw py::value_error(std::string(name) + " must be at " + (negative ? "least 0" : "most " + std::to_string(max)) +
                          ", not " + quoted(number));
  }
  return result;
}

std::optional<std::size_t> optional_integer(py::handle value, const char* name) {
  if (value.is_none()) return std::nullopt;
  return integer(value, name);
}

std::optional<double> optional_real(py::handle value, const char* name) {
  if (value.is_none()) return std::nullopt;
  const double result = PyFloat_AsDouble(value.ptr());
  if (result == -1.0 && PyErr_Occurred() != nullptr) {
    PyErr_Clear();
    throw py::type_error(std::string(name) + " must be a number, not " + type_name(value));
  }
  return result;
}

bool boolean(py::handle value, const char* name) {
  if (!PyBool_Check(value.ptr())) throw py::type_error(std::string(name) + " must be a bool, not " + type_name(value));
  return value.is(py::handle(Py_True));
}

std::size_t threads(py::handle value) {
  if (value.is_none()) return 0;
  const std::size_t count = integer(value, "threads");
  if (count == 0) throw py::value_error("threads must be at least 1, not 0");
  return count;
}

Metric metric_named(py::handle name) { return named<Metric>(name, "metric", kMetrics); }
Kind kind_named(py::handle name) { return named<Kind>(name, "kind", kKinds); }
CodeKind codes_named(py::handle name) { return named<CodeKind>(name, "codes", kCodes); }
DType dtype_named(py::handle name) { return named<DType>(name, "dtype", kDTypes); }

SpannOptions spann_options(SpannOptions result, const py::dict& options) {
  for (const auto& [key, value] : options) {
    const std::string name = key.cast<std::string>();
    if (name == "list_bytes") {
      result.list_bytes = given(value, "list_bytes");
    } else if (name == "replicas") {
      result.replicas = given(value, "replicas");
    } else if (name == "closure") {
      result.closure = named<Closure>(value, "closure", kClosures);
    } else if (name == "closure_ratio") {
      result.closure_ratio = static_cast<float>(optional_real(value, "closure_ratio").value_or(result.closure_ratio));
    } else if (name == "closure_heads") {
      result.closure_heads = static_cast<std::uint32_t>(integer(value, "closure_heads", kMaxUint32));
    } else if (name == "data_heads") {
      result.data_heads = boolean(value, "data_heads");
    } else {
      throw py::type_error("unknown option '" + name + "' for kind 'spann'");
    }
  }
  return result;
}

IndexOptions index_options(IndexOptions result, const py::dict& given, const py::dict& options) {
  if (given.contains("dim")) result.dim = integer(given["dim"], "dim");
  if (given.contains("metric")) result.metric = metric_named(given["metric"]);
  if (given.contains("kind")) result.kind = kind_named(given["kind"]);
  if (given.contains("dtype")) result.dtype = dtype_named(given["dtype"]);
  if (given.contains("seed")) {
    result.seed = integer(given["seed"], "seed", std::numeric_limits<std::uint64_t>::max());
  }
  if (result.kind == Kind::kHnsw) {
    result.hnsw = hnsw_options(result.hnsw, options);
  } else if (result.kind == Kind::kSpann) {
    result.spann = spann_options(result.spann, options);
  } else if (!options.empty()) {
    const std::string name = options.begin()->first.cast<std::string>();
    throw py::type_error("unknown option '" + name + "' for kind '" + name_of(result.kind) + "'");
  }
  return result;
}

const char* name_of(Metric metric) { return kMetrics[static_cast<std::size_t>(metric)]; }
const char* name_of(CodeKind codes) { return kCodes[static_cast<std::size_t>(codes)]; }
const char* name_of(Kind kind) { return kKinds[static_cast<std::size_t>(kind)]; }
const char* name_of(DType dtype) { return kDTypes[static_cast<std::size_t>(dtype)]; }

}  // namespace hopspan::bindings
