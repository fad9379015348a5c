#include "index/search_options.h"

#include <string>

#include "hopspan/error.h"

namespace hopspan::index {

namespace {

void check_k(std::size_t k) {
  if (k == 0) throw InvalidArgument("k must be at least 1, not 0");
}

}  // namespace

void check_tune(const TuneOptions& options, const MatrixView& queries) {
  check_k(options.k);
  if (queries.data != nullptr && queries.rows == 0) throw InvalidArgument("tuning takes at least 1 query, not 0");
}

void check_search(Kind kind, const SearchOptions& options) {
  check_k(options.k);
  if (options.ef && kind == Kind::kSpann) throw InvalidArgument("ef is for kind hnsw; a spann index takes nprobe");
  if (options.nprobe && kind == Kind::kHnsw) throw InvalidArgument("nprobe is for kind spann; an hnsw index takes ef");
  if (options.nprobe && options.recall) {
    throw InvalidArgument("nprobe=" + std::to_string(*options.nprobe) + " and recall=" +
                          std::to_string(*options.recall) + " are both given; they set the same thing");
  }
  if (options.nprobe && *options.nprobe == 0) throw InvalidArgument("nprobe must be at least 1, not 0");
  if (options.ef && options.recall) {
    throw InvalidArgument("ef=" + std::to_string(*options.ef) + " and recall=" + std::to_string(*options.recall) +
                          " are both given; they set the same thing");
  }
  if (options.ef && *options.ef < options.k) {
    throw InvalidArgument("ef=" + std::to_string(*options.ef) + " is below k=" + std::to_string(options.k));
  }
  if (options.recall && !(*options.recall > 0.0 && *options.recall < 1.0)) {
    throw InvalidArgument("recall must lie between 0 and 1, not " + std::to_string(*options.recall));
  }
}

}  // namespace hopspan::index
