#include "durable/same_options.h"

#include <sstream>

#include "hopspan/error.h"
#include "vectors/names.h"

namespace hopspan::durable {
namespace {

constexpr const char* kKinds[] = {"flat", "hnsw", "spann"};
constexpr const char* kCodes[] = {"auto", "none", "sq8", "sq4"};
constexpr const char* kPlaces[] = {"memory", "disk"};
constexpr const char* kClosures[] = {"rng", "soar"};

class Comparison {
 public:
  explicit Comparison(const std::string& where) : where_(where) {}

  template <typename T>
  void compare(const char* name, const T& stored, const T& wanted) const {
    if (stored == wanted) return;
    std::ostringstream message;
    message << where_ << ": the index was made with " << name << ' ' << stored << ", not " << wanted;
    throw InvalidArgument(message.str());
  }

  // By the names of enumerators.
  template <typename Enum, std::size_t n>
  void compare(const char* name, Enum stored, Enum wanted, const char* const (&names)[n]) const {
    const auto name_of = [&](Enum value) {
      const auto number = static_cast<std::size_t>(value);
      return number < n ? std::string(names[number]) : std::to_string(number);
    };
    compare(name, name_of(stored), name_of(wanted));
  }

 private:
  const std::string& where_;
};

}  // namespace

void check_same_options(const IndexOptions& stored, const IndexOptions& wanted, const std::string& where) {
  const Comparison same(where);
  same.compare("dim", stored.dim, wanted.dim);
  same.compare("metric", stored.metric, wanted.metric, vectors::kMetricNames);
  same.compare("kind", stored.kind, wanted.kind, kKinds);
  same.compare("dtype", stored.dtype, wanted.dtype, vectors::kDTypeNames);
  same.compare("seed", stored.seed, wanted.seed);
  if (stored.kind == Kind::kHnsw) {
    const HnswOptions &a = stored.hnsw, &b = wanted.hnsw;
    same.compare("M", a.M, b.M);
    same.compare("ef_construction", a.ef_construction, b.ef_construction);
    same.compare("extend_candidates", a.extend_candidates, b.extend_candidates);
    same.compare("keep_pruned_connections", a.keep_pruned_connections, b.keep_pruned_connections);
    same.compare("codes", a.codes, b.codes, kCodes);
    same.compare("vectors", a.vectors, b.vectors, kPlaces);
  }
  if (stored.kind == Kind::kSpann) {
    const SpannOptions &a = stored.spann, &b = wanted.spann;
    same.compare("list_bytes", a.list_bytes, b.list_bytes);
    same.compare("replicas", a.replicas, b.replicas);
    same.compare("closure", a.closure, b.closure, kClosures);
    same.compare("closure_ratio", a.closure_ratio, b.closure_ratio);
    same.compare("closure_heads", a.closure_heads, b.closure_heads);
    same.compare("data_heads", a.data_heads, b.data_heads);
  }
}

}  // namespace hopspan::durable
