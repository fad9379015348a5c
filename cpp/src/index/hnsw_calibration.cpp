// What calibration and tuning of a graph do: they look at what queries of known neighbours would find.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "core/threads.h"
#include "index/hnsw_engine.h"

namespace hopspan::index {
namespace {

constexpr std::size_t kRowsPerSample = 8;  // what a sample costs stays in proportion to building the graph
constexpr std::size_t kLeastSample = 125;
constexpr std::size_t kMostSample = 2000;
constexpr std::size_t kWalks = 256;
constexpr double kTolerance = 0.003;
constexpr double kCaution = 0.25;
constexpr double kLateGrowth = 0.5;  // effort follows the size to this power while the late vectors of a sample join

}  // namespace

// by_rows: walks the vectors themselves, also where codes stand for them.
std::vector<Measurement> HnswEngine::measure_sample(const Sample& sample, const EarlyStops& stops,
                                                    const MeasureOptions& options, const Slots& holes,
                                                    bool by_rows) const {
  std::vector<bool> hidden(holes.empty() ? 0 : rows_.size());
  for (const std::uint32_t slot : holes) hidden[slot] = true;
  const std::size_t living = rows_.size() - holes.size();
  const auto alive = [&](std::uint32_t slot) { return hidden.empty() || !hidden[slot]; };
  const Slots none;
  const Scope linked{none, living, alive};
  const auto search = [&](std::size_t query, std::size_t k, std::size_t ef, hnsw::Neighbor* out) {
    const auto worker = spares_.take();
    const std::uint32_t excluded = sample.excluded() == nullptr ? hnsw::kNone : sample.excluded()[query];
    const void* const asked = sample.queries()[query];
    const hnsw::Effort effort = stops.effort(k, ef, spare(k), linked_);
    if (!by_rows) return find(asked, k, effort, *worker, out, excluded, linked);
    const std::size_t found = std::min(k, collect({exact_, asked}, k, effort, *worker, excluded, linked));
    std::copy_n(worker->candidates.data(), found, out);
    return found;
  };
  return measure(rows_, sample, options, search, holes);
}

// None under ip, where distances have no ratios.
EarlyStops HnswEngine::learn_stops(const Sample& sample, std::size_t threads, bool by_rows) const {
  if (exact_.is_product()) return {};
  const std::size_t count = std::min(sample.count(), kWalks), width = std::min(EarlyStops::kWalked, linked_);
  std::vector<std::vector<float>> walks(count);
  core::parallel_for(count, 1, threads, {}, [&](std::size_t begin, std::size_t end, std::size_t) {
    const auto worker = spares_.take();
    for (std::size_t i = begin; i < end; ++i) {
      const std::uint32_t excluded = sample.excluded() == nullptr ? hnsw::kNone : sample.excluded()[i];
      const void* const query = sample.queries()[i];
      const Asked asked = by_rows ? Asked{exact_, query} : this->asked(query, *worker);
      const std::size_t found = walk(asked, 1, width, *worker, excluded, {});
      walks[i].assign(width, std::numeric_limits<float>::infinity());
      for (std::size_t j = 0; j < std::min(found, width); ++j) walks[i][j] = worker->candidates[j].distance;
    }
  });
  return EarlyStops(walks);
}

HnswEngine::Rehearsal HnswEngine::rehearsal(const Slots& added, const Slots& leaving) const {
  const Slots holes = without(united(united(id_map_.holes(), leaving), pending_), added);
  const std::size_t size = rows_.size() - holes.size();
  const std::size_t count = std::clamp(size / kRowsPerSample, kLeastSample, kMostSample);
  if (added.size() < 2 * count) return {added.size(), held_out(rows_, count, options_.seed, holes), holes, {}};
  Slots all(rows_.size());
  std::iota(all.begin(), all.end(), std::uint32_t{0});
  Sample sample = held_out(rows_, count, options_.seed, without(all, added));
  Slots late = sample.take_slots();
  return {added.size(), std::move(sample), united(holes, late), late};
}

// size: of the index that it is for.
HnswEngine::Learnt HnswEngine::learn(const Rehearsal& rehearsal, std::size_t size, const AddOptions& options) const {
  Progress cancel_only;
  if (options.progress) {
    cancel_only = [&](std::size_t, std::size_t) { options.progress(rehearsal.added, rehearsal.added); };
  }
  const MeasureOptions how{calibrated_ks(size), kTolerance, options.threads, cancel_only};
  EarlyStops stops = learn_stops(rehearsal.sample, options.threads);
  std::vector<Measurement> measured = measure_sample(rehearsal.sample, stops, how, rehearsal.holes);
  const double growth = static_cast<double>(size) / static_cast<double>(rows_.size() - rehearsal.holes.size());
  for (Measurement& m : measured) {
    if (m.effort == how.ks[0]) continue;
    m.effort = static_cast<std::size_t>(std::lround(static_cast<double>(m.effort) * std::pow(growth, kLateGrowth)));
  }
  return {make_calibration(size, how.ks, measured, kCaution), std::move(stops)};
}

std::vector<TunePoint> HnswEngine::tune(const MatrixView& queries, const TuneOptions& options) {
  const bool own = queries.data == nullptr;
  const Slots holes = id_map_.holes();
  const std::size_t size = id_map_.live();
  const Sample sample =
      own ? held_out(rows_, kMostSample, options_.seed, holes) : prepare_queries(rows_.format(), queries);
  const std::size_t available = size - (own ? 1 : 0);
  const std::uint32_t k = static_cast<std::uint32_t>(std::min(options.k, available));
  if (k == 0) throw InvalidArgument("an index of 1 vector has none to hold out; give queries to tune on");
  std::vector<std::uint32_t> ks = calibrated_ks(size);
  if (std::find(ks.begin(), ks.end(), k) == ks.end()) ks.insert(std::lower_bound(ks.begin(), ks.end(), k), k);
  const std::size_t j = static_cast<std::size_t>(std::find(ks.begin(), ks.end(), k) - ks.begin());
  EarlyStops stops;
  const MeasureOptions how{ks, 0.0, options.threads, options.progress};
  std::vector<Measurement> measured, by_rows;
  mutex_.aside([&] {
    stops = learn_stops(sample, options.threads);
    measured = measure_sample(sample, stops, how, holes);
    by_rows = traversal_ == nullptr
                  ? measured
                  : measure_sample(sample, learn_stops(sample, options.threads, true), how, holes, true);
  });
  std::vector<TunePoint> points;
  for (std::size_t i = 0; i < measured.size(); ++i) {
    const Measurement& m = measured[i];
    if (m.effort < k) continue;
    const double found = m.recalls[j], by_graph = by_rows[std::min(i, by_rows.size() - 1)].recalls[j];
    points.push_back({found, m.effort, m.qps[j], 1.0 - std::max(found, by_graph), std::max(0.0, by_graph - found)});
  }
  learnt_ = {make_calibration(size, ks, measured, kCaution), std::move(stops)};
  return points;
}

}  // namespace hopspan::index
