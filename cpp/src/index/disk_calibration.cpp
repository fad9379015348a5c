// What calibration and tuning do with an index on disk: they look at what queries of known neighbours would find.
#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>

#include "core/threads.h"
#include "index/disk_index.h"
#include "index/measure.h"
#include "index/search_options.h"
#include "index/stopwatch.h"
#include "index/truth.h"
#include "vectors/query.h"

namespace hopspan::index {
namespace {

constexpr std::size_t kCalibrateFrom = 1000;  // smaller indexes are searched with full effort
constexpr std::size_t kSample = 2000;
constexpr std::size_t kMostProbes = 1024;
constexpr std::size_t kSurveyedAtOnce = 48;
constexpr std::size_t kMostTuned = 16;  // steps that are timed

}  // namespace

// What was measured of all queries.
struct DiskIndex::Surveyed {
  ListMeter meter;
  std::vector<std::uint32_t> ks;
  double list_pages;

  ListCalibration calibration() const {
    std::vector<ListCalibration::Frontier> frontiers;
    for (std::size_t j = 0; j < ks.size(); ++j) frontiers.push_back(meter.frontier(j, list_pages));
    return ListCalibration(ks, std::move(frontiers));
  }

  // Some steps for ks[j], the last one among them.
  ListCalibration::Frontier steps(std::size_t j) const {
    const ListCalibration::Frontier all = meter.frontier(j, list_pages);
    const std::size_t count = std::min(all.size(), kMostTuned);
    ListCalibration::Frontier some;
    for (std::size_t i = 1; i <= count; ++i) some.push_back(all[i * all.size() / count - 1]);
    return some;
  }
};

// Queries that are surveyed together.
struct DiskIndex::SurveyedTogether {
  std::vector<float> queries;
  std::vector<spann::Nearest> heads;
  std::vector<spann::Survey> surveys;
  std::vector<ListMeter::Query> metered;
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
  Surveyed surveyed{ListMeter(ks, std::min(kMostProbes, lists_.size())), ks, lists_.mean_pages()};
  ListMeter& meter = surveyed.meter;
  const std::size_t some = std::min(kSurveyedAtOnce, sample.count());
  meter.choose_reaches(survey_some(sample, excluded, 0, some, meter.most()).metered);
  std::mutex mutex;
  const auto look = [&](std::size_t begin, std::size_t end, std::size_t) {
    const SurveyedTogether together = survey_some(sample, excluded, begin, end, meter.most());
    const std::lock_guard<std::mutex> lock(mutex);
    for (std::size_t q = begin; q < end; ++q) meter.add(together.metered[q - begin], &truth[q * ks.back()]);
  };
  core::parallel_for(sample.count(), kSurveyedAtOnce, threads, progress, look);
  return surveyed;
}

DiskIndex::SurveyedTogether DiskIndex::survey_some(const Sample& sample, const std::uint32_t* excluded,
                                                   std::size_t begin, std::size_t end, std::size_t most) const {
  const std::size_t probes = std::min(kMostProbes, lists_.size()), dim = format_.dim;
  const auto worker = spares_.take();
  SurveyedTogether together{std::vector<float>((end - begin) * dim),
                            std::vector<spann::Nearest>((end - begin) * probes),
                            std::vector<spann::Survey>(end - begin),
                            {}};
  for (std::size_t q = begin; q < end; ++q) {
    float* const query = &together.queries[(q - begin) * dim];
    spann::Nearest* const heads = &together.heads[(q - begin) * probes];
    find_heads(sample.queries()[q], probes, *worker);
    std::copy(worker->query.begin(), worker->query.end(), query);
    std::copy_n(worker->heads.begin(), probes, heads);
    spann::Survey& survey = together.surveys[q - begin];
    survey = {query, heads, probes, excluded == nullptr ? spann::kNoExclusion : excluded[q], {}};
    together.metered.push_back({survey, distance_offset(worker->query.data())});
  }
  spann::ListSearcher(coder_, heads_.lengths(), lists_, meta_.size).survey(together.surveys, most, worker->scratch);
  return together;
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
    const Plan how = plan(k, {step.reach, step.most, step.candidates});
    const Stopwatch watch;
    core::parallel_for(
        sample.count(), 1, options.threads, options.progress,
        [&](std::size_t q, std::size_t, std::size_t) { search_one(sample.queries()[q], how, *spares_.take()); });
    points.push_back({step.recall, step.lists, static_cast<double>(sample.count()) / watch.seconds()});
  }
  const std::unique_lock<std::shared_mutex> lock(calibration_mutex_);
  calibration_ = std::make_shared<const ListCalibration>(surveyed.calibration());
  return points;
}

}  // namespace hopspan::index
