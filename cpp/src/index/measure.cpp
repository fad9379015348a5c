#include "index/measure.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/threads.h"
#include "index/exact/search.h"
#include "index/id_map.h"
#include "index/stopwatch.h"

namespace hopspan::index {
namespace {

constexpr std::size_t kMaxEffort = 4096;
constexpr double kEnough = 0.998;
constexpr std::size_t kQueriesAtOnce = 64;  // between looks at the standard error
constexpr std::size_t kQueriesPerPiece = 4;
constexpr double kShareOfMissed = 1.0 / 32;  // the standard error that will do where recall is low
constexpr std::uint32_t kLeastJudged = 10;   // the recall of fewer neighbours varies too much to wait for

// The next of 1, 2, 3, 4, 6, 8, 12, 16, 24, ...
std::size_t next_effort(std::size_t effort) {
  std::size_t power = 1;
  while (2 * power <= effort) power *= 2;
  return effort < power / 2 * 3 ? power / 2 * 3 : 2 * power;
}

bool found_enough(const std::vector<std::uint32_t>& ks, const std::vector<double>& recalls) {
  for (std::size_t j = 0; j < ks.size(); ++j) {
    if ((ks[j] >= kLeastJudged || ks.size() == 1) && recalls[j] < kEnough) return false;
  }
  return true;
}

// Each slot under its own number, but for the holes.
IdMap slots_as_ids(std::size_t size, const std::vector<std::uint32_t>& holes) {
  if (holes.empty()) return IdMap(size);
  core::Array<std::int64_t> ids;
  ids.resize(size);
  std::iota(ids.mutable_data(), ids.mutable_data() + size, std::int64_t{0});
  for (const std::uint32_t slot : holes) ids.mutable_data()[slot] = kNoId;
  return IdMap(std::move(ids), size - holes.size(), size);
}

// The distance, as the kernels have it, of each query's true k-th neighbour, for each k.
std::vector<float> true_limits(const vectors::Matrix& rows, const Sample& sample, const MeasureOptions& options,
                               const IdMap& slots) {
  const hnsw::Space space(rows);
  const std::size_t most = options.ks.back();
  std::vector<std::int64_t> ids(sample.count() * most);
  std::vector<float> distances(ids.size());
  exact::Searcher(rows).search(sample.queries(), slots, {most, sample.excluded(), options.threads, options.progress},
                               ids.data(), distances.data());
  std::vector<float> limits;
  for (std::size_t q = 0; q < sample.count(); ++q) {
    float* const row = distances.data() + q * most;
    for (std::size_t i = 0; i < most; ++i) {
      row[i] = space.distance(sample.queries()[q], static_cast<std::uint32_t>(ids[q * most + i]));
    }
    std::sort(row, row + most);
    for (const std::uint32_t k : options.ks) limits.push_back(row[k - 1]);
  }
  return limits;
}

// Sums over queries, of whole numbers, so that they do not depend on which thread adds first.
struct Hits {
  std::atomic<std::uint64_t> sum{0};
  std::atomic<std::uint64_t> squares{0};

  double mean(double queries) const { return static_cast<double>(sum) / queries; }
  double standard_error(double queries) const {
    const double variance = static_cast<double>(squares) / queries - mean(queries) * mean(queries);
    return std::sqrt(std::max(0.0, variance) / queries);
  }
};

class Meter {
 public:
  Meter(const Sample& sample, const MeasureOptions& options, const std::vector<float>& limits, SearchFn search)
      : sample_(sample), options_(options), limits_(limits), search_(search) {}

  Measurement at(std::size_t effort) {
    Measurement measurement{effort, {}, {}, {}};
    for (std::size_t j = 0; j < options_.ks.size(); ++j) {
      const std::size_t k = options_.ks[j];
      Hits hits;
      std::size_t done = 0;
      const Stopwatch watch;
      while (k <= effort && done < sample_.count() && !settled(hits, done, k)) {
        const std::size_t some = std::min(kQueriesAtOnce, sample_.count() - done);
        core::parallel_for(some, kQueriesPerPiece, options_.threads, options_.progress,
                           [&](std::size_t begin, std::size_t end, std::size_t) {
                             search_some(done + begin, done + end, j, effort, hits);
                           });
        done += some;
      }
      const double queries = static_cast<double>(std::max<std::size_t>(done, 1)), per = static_cast<double>(k);
      measurement.recalls.push_back(hits.mean(queries) / per);
      measurement.errors.push_back(hits.standard_error(queries) / per);
      measurement.qps.push_back(static_cast<double>(done) / watch.seconds());
    }
    return measurement;
  }

 private:
  bool settled(const Hits& hits, std::size_t done, std::size_t k) const {
    if (done == 0 || options_.tolerance == 0.0 || k < kLeastJudged) return false;
    const double queries = static_cast<double>(done), per = static_cast<double>(k);
    return hits.standard_error(queries) <= tolerated(hits.mean(queries) / per) * per;
  }

  double tolerated(double recall) const { return std::max(options_.tolerance, (1.0 - recall) * kShareOfMissed); }

  void search_some(std::size_t begin, std::size_t end, std::size_t j, std::size_t effort, Hits& hits) {
    const std::size_t k = options_.ks[j];
    std::vector<hnsw::Neighbor> found(k);
    for (std::size_t q = begin; q < end; ++q) {
      const std::size_t count = search_(q, k, effort, found.data());
      const float limit = limits_[q * options_.ks.size() + j];
      std::uint64_t good = 0;
      while (good < count && found[good].distance <= limit) ++good;
      hits.sum += good;
      hits.squares += good * good;
    }
  }

  const Sample& sample_;
  const MeasureOptions& options_;
  const std::vector<float>& limits_;
  SearchFn search_;
};

}  // namespace

std::vector<std::uint32_t> calibrated_ks(std::size_t size) {
  std::vector<std::uint32_t> ks;
  for (const std::uint32_t k : {10U, 100U}) {
    if (k < size) ks.push_back(k);
  }
  return ks;
}

std::vector<Measurement> measure(const vectors::Matrix& rows, const Sample& sample, const MeasureOptions& options,
                                 SearchFn search, const std::vector<std::uint32_t>& holes) {
  const std::vector<float> limits = true_limits(rows, sample, options, slots_as_ids(rows.size(), holes));
  return measure(limits, rows.size() - holes.size(), sample, options, search);
}

std::vector<Measurement> measure(const std::vector<float>& limits, std::size_t size, const Sample& sample,
                                 const MeasureOptions& options, SearchFn search) {
  Meter meter(sample, options, limits, search);
  const std::size_t most = std::min(kMaxEffort, size);
  std::vector<Measurement> measured;
  for (std::size_t effort = options.ks.front();; effort = next_effort(effort)) {
    measured.push_back(meter.at(std::min(effort, most)));
    if (effort >= most || found_enough(options.ks, measured.back().recalls)) return measured;
  }
}

Calibration make_calibration(std::size_t size, const std::vector<std::uint32_t>& ks,
                             const std::vector<Measurement>& measured, double caution) {
  std::vector<std::uint32_t> efforts;
  std::vector<std::vector<double>> recalls(ks.size());
  for (const Measurement& m : measured) {
    efforts.push_back(static_cast<std::uint32_t>(m.effort));
    for (std::size_t j = 0; j < ks.size(); ++j) {
      recalls[j].push_back(std::max(0.0, m.recalls[j] - caution * m.errors[j]));
    }
  }
  return Calibration(size, ks, std::move(efforts), std::move(recalls));
}

}  // namespace hopspan::index
