#include "index/flat_engine.h"

#include "hopspan/error.h"
#include "index/sample.h"
#include "index/stopwatch.h"

namespace hopspan::index {
namespace {

constexpr std::size_t kTuneQueries = 500;

}  // namespace

void FlatEngine::search(const MatrixView& queries, const SearchOptions& options, std::int64_t* ids,
                        float* distances) const {
  const Sample sample = prepare_queries(rows_.format(), queries);
  searcher_.search(sample.queries(), id_map_, {options.k, nullptr, options.threads, options.progress}, ids, distances);
}

// There is nothing to choose; the one point tells the speed.
std::vector<TunePoint> FlatEngine::tune(const MatrixView& queries, const TuneOptions& options) {
  const Sample sample = queries.data == nullptr ? held_out(rows_, kTuneQueries, 0, id_map_.holes())
                                                : prepare_queries(rows_.format(), queries);
  std::vector<std::int64_t> ids(sample.count() * options.k);
  std::vector<float> distances(ids.size());
  const Stopwatch watch;
  searcher_.search(sample.queries(), id_map_, {options.k, sample.excluded(), options.threads, options.progress},
                   ids.data(), distances.data());
  return {{1.0, id_map_.live(), static_cast<double>(sample.count()) / watch.seconds()}};
}

void FlatEngine::check(bool, CheckReport& report) const { report.reachable = id_map_.live(); }

}  // namespace hopspan::index
