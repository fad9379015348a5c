// What calibration and tuning do with an index on disk: they look at what queries of known neighbours would find.
#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>

#include "core/threads.h"
#include "index/disk_index.h"
#include "index/search_options.h"
#include "index/stopwatch.h"
#include "index/truth.h"
#include "vectors/query.h"

namespace hopspan::index {
namespace {

constexpr std::size_t kCalibrateFrom = 1000;  // smaller indexes are searched with full effort
constexpr std::size_t kSample = 1000;
constexpr std::size_t kLeastPart = 100;  // queries
constexpr std::size_t kMostParts = 4;
constexpr std::size_t kMostProbes = 1024;
constexpr double kCaution = 0.5;
constexpr std::size_t kMostTuned = 16;  // steps that are timed

std::vector<std::uint32_t> calibrated_ks(std::size_t size) {
  std::vector<std::uint32_t> ks;
  for (const std::uint32_t k : {10U, 100U}) {
    if (k < size) ks.push_back(k);
  }
  return ks;
}

}  // namespace

// What was measured of each part of the queries.
struct DiskIndex::Surveyed {
  std::vector<double> limits;
  std::vector<ListMeter> parts;
  ListMeter whole;
  std::vector<std::uint32_t> ks;
  double list_pages;

  ListCalibration calibration() const {
    std::vector<std::vector<ListCalibration::Frontier>> frontiers;
    for (const ListMeter& part : parts) {
      frontiers.emplace_back();
      for (std::size_t j = 0; j < ks.size(); ++j) frontiers.back().push_back(part.frontier(j, list_pages, kCaution));
    }
    return ListCalibration(ks, limits, std::move(frontiers));
  }

  // Some steps for ks[j], the last one among them.
  ListCalibration::Frontier steps(std::size_t j) const {
    const ListCalibration::Frontier all = whole.frontier(j, list_pages, 0.0);
    const std::size_t count = std::min(all.size(), kMostTuned);
    ListCalibration::Frontier some;
    for (std::size_t i = 1; i <= count; ++i) some.push_back(all[i * all.size() / count - 1]);
    return some;
  }
};

// Slots evenly spread, which is all lists alike.
Sample DiskIndex::held_out_sample(std::size_t count, std::vector<std::uint32_t>& slots) const {
  count = std::min<std::size_t>(count, meta_.size);
  core::Array<std::byte> bytes;
  const std::size_t row_bytes = format_.row_bytes();
  bytes.resize(count * row_bytes);
  std::byte* const to = bytes.mutable_data();
  std::vector<std::uint32_t> drawn(count);
  for (std::size_t i = 0; i < count; ++i) drawn[i] = static_cast<std::uint32_t>((2 * i + 1) * meta_.size / (2 * count));
  spann::FetchCost cost;
  rows_.fetch(
      drawn.data(), count,
      [&](std::size_t place, const std::byte* row, std::size_t n) { std::memcpy(to + place * row_bytes, row, n); },
      cost);
  const vectors::Matrix rows(format_, std::move(bytes));
  Sample sample = held_out(rows, count, meta_.options.seed);
  slots.resize(count);
  for (std::size_t i = 0; i < count; ++i) slots[i] = drawn[sample.excluded()[i]];
  return sample;
}

DiskIndex::Surveyed DiskIndex::survey(const Sample& sample, const std::uint32_t* excluded,
                                      const std::vector<std::uint32_t>& ks, std::size_t threads,
                                      const Progress& progress) const {
  const std::vector<std::uint32_t> truth =
      true_neighbors(format_, meta_.size,
                     [&](std::size_t first, std::size_t count, vectors::Matrix& out) { read_rows(first, count, out); },
                     sample.queries(), {ks.back(), excluded, threads, progress});
  const std::size_t probes = std::min(kMostProbes, lists_.size());
  std::vector<double> hard(sample.count());
  core::parallel_for(sample.count(), 8, threads, progress, [&](std::size_t begin, std::size_t end, std::size_t) {
    const auto worker = spares_.take();
    for (std::size_t q = begin; q < end; ++q) {
      find_heads(sample.queries()[q], std::min(ListCalibration::kHeads, probes), *worker);
      hard[q] = hardness(*worker);
    }
  });
  const std::size_t parts = std::clamp<std::size_t>(sample.count() / kLeastPart, 1, kMostParts);
  std::vector<double> sorted = hard;
  std::sort(sorted.begin(), sorted.end());
  Surveyed surveyed{{}, {}, ListMeter(ks, probes), ks, lists_.mean_pages()};
  for (std::size_t i = 1; i < parts; ++i) surveyed.limits.push_back(sorted[i * sorted.size() / parts]);
  for (std::size_t i = 0; i < parts; ++i) surveyed.parts.emplace_back(ks, probes);
  std::mutex mutex;
  const spann::ListSearcher searcher(coder_, lists_, meta_.size);
  core::parallel_for(sample.count(), 1, threads, progress, [&](std::size_t q, std::size_t, std::size_t) {
    const auto worker = spares_.take();
    find_heads(sample.queries()[q], probes, *worker);
    std::vector<ListMeter::Seen> seen;
    searcher.survey(worker->query.data(), worker->heads.data(), probes, worker->scratch,
                    [&](std::size_t place, std::uint32_t slot, float distance) {
                      if (excluded != nullptr && slot == excluded[q]) return;
                      seen.push_back({distance, static_cast<std::uint32_t>(place), slot});
                    });
    std::sort(seen.begin(), seen.end());
    const std::size_t part = static_cast<std::size_t>(
        std::upper_bound(surveyed.limits.begin(), surveyed.limits.end(), hard[q]) - surveyed.limits.begin());
    const std::lock_guard<std::mutex> lock(mutex);
    surveyed.parts[part].add(seen, &truth[q * ks.back()]);
    surveyed.whole.add(seen, &truth[q * ks.back()]);
  });
  return surveyed;
}

ListCalibration DiskIndex::calibrate(std::size_t threads, const Progress& progress) const {
  if (meta_.size < kCalibrateFrom) return ListCalibration();
  std::vector<std::uint32_t> slots;
  const Sample sample = held_out_sample(std::min(kSample, meta_.size / 4), slots);
  return survey(sample, slots.data(), calibrated_ks(meta_.size), threads, progress).calibration();
}

std::vector<TunePoint> DiskIndex::tune(const MatrixView& queries, const TuneOptions& options) {
  check_tune(options, queries);
  const bool own = queries.data == nullptr;
  if (!own) vectors::check_queries(format_, queries);
  std::vector<std::uint32_t> slots;
  const Sample sample = own ? held_out_sample(kSample, slots) : prepare_queries(format_, queries);
  const std::size_t known = meta_.size - (own ? 1 : 0);
  const std::uint32_t k = static_cast<std::uint32_t>(std::min(options.k, known));
  if (k == 0) throw InvalidArgument("an index of 1 vector has none to hold out; give queries to tune on");
  std::vector<std::uint32_t> ks = calibrated_ks(known);
  if (std::find(ks.begin(), ks.end(), k) == ks.end()) ks.insert(std::lower_bound(ks.begin(), ks.end(), k), k);
  const Surveyed surveyed = survey(sample, own ? slots.data() : nullptr, ks, options.threads, options.progress);
  const std::size_t j = static_cast<std::size_t>(std::find(ks.begin(), ks.end(), k) - ks.begin());
  std::vector<TunePoint> points;
  for (const ListCalibration::Step& step : surveyed.steps(j)) {
    const Plan how = plan(k, {step.probes, step.candidates});
    const Stopwatch watch;
    core::parallel_for(
        sample.count(), 1, options.threads, options.progress,
        [&](std::size_t q, std::size_t, std::size_t) { search_one(sample.queries()[q], how, *spares_.take()); });
    points.push_back({step.recall, how.heads, static_cast<double>(sample.count()) / watch.seconds()});
  }
  const std::unique_lock<std::shared_mutex> lock(calibration_mutex_);
  calibration_ = std::make_shared<const ListCalibration>(surveyed.calibration());
  return points;
}

}  // namespace hopspan::index
