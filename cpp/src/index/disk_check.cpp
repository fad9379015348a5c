// What check and tune do with an index on disk: both read all of it, a part at a time.
#include <algorithm>
#include <cstring>
#include <mutex>
#include <string>

#include "index/disk_index.h"
#include "index/measure.h"
#include "index/search_options.h"
#include "index/truth.h"
#include "vectors/query.h"

namespace hopspan::index {
namespace {

constexpr std::size_t kCalibrateFrom = 1000;  // smaller indexes are searched with full effort
constexpr std::size_t kSample = 300;
constexpr std::size_t kListsAtOnce = 64;
constexpr std::size_t kRowsAtOnce = 4096;
constexpr double kTolerance = 0.004;
constexpr double kCaution = 2.0;  // lists meet a target less evenly than a graph does

std::vector<std::uint32_t> calibrated_ks(std::size_t size) {
  std::vector<std::uint32_t> ks;
  for (const std::uint32_t k : {10U, 100U}) {
    if (k < size) ks.push_back(k);
  }
  return ks;
}

std::vector<std::uint32_t> numbers_from(std::size_t first, std::size_t count) {
  std::vector<std::uint32_t> numbers(count);
  for (std::size_t i = 0; i < count; ++i) numbers[i] = static_cast<std::uint32_t>(first + i);
  return numbers;
}

}  // namespace

void DiskIndex::read_rows(std::size_t first, std::size_t count, vectors::Matrix& out) const {
  core::Array<std::byte> bytes;
  const std::size_t row_bytes = format_.row_bytes();
  bytes.resize(count * row_bytes);
  std::byte* const to = bytes.mutable_data();
  const std::vector<std::uint32_t> slots = numbers_from(first, count);
  spann::FetchCost cost;
  rows_.fetch(
      slots.data(), count,
      [&](std::size_t place, const std::byte* row, std::size_t n) { std::memcpy(to + place * row_bytes, row, n); },
      cost);
  out = vectors::Matrix(format_, std::move(bytes));
}

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

std::vector<Measurement> DiskIndex::measure_sample(const Sample& sample, const std::uint32_t* excluded,
                                                   const MeasureOptions& options) const {
  const std::vector<float> limits =
      true_limits(format_, meta_.size,
                  [&](std::size_t first, std::size_t count, vectors::Matrix& out) { read_rows(first, count, out); },
                  sample.queries(), {options.ks, excluded, options.threads, options.progress});
  return measure(limits, meta_.size, sample, options,
                 [&](std::size_t query, std::size_t k, std::size_t effort, hnsw::Neighbor* out) {
                   const auto worker = spares_.take();
                   const std::uint32_t absent = excluded == nullptr ? spann::kNoExclusion : excluded[query];
                   const std::size_t found = search_one(sample.queries()[query], absent, effort_of(k, effort), *worker);
                   for (std::size_t i = 0; i < found; ++i) {
                     out[i] = {worker->found[i].distance, worker->found[i].slot};
                   }
                   return found;
                 });
}

Calibration DiskIndex::calibrate(std::size_t threads, const Progress& progress) const {
  if (meta_.size < kCalibrateFrom) return Calibration();
  std::vector<std::uint32_t> slots;
  const Sample sample = held_out_sample(kSample, slots);
  const MeasureOptions how{calibrated_ks(meta_.size), kTolerance, threads, progress};
  return make_calibration(meta_.size, how.ks, measure_sample(sample, slots.data(), how), kCaution);
}

std::vector<TunePoint> DiskIndex::tune(const MatrixView& queries, const TuneOptions& options) {
  check_tune(options, queries);
  const bool own = queries.data == nullptr;
  if (!own) vectors::check_queries(format_, queries);
  std::vector<std::uint32_t> slots;
  const Sample sample = own ? held_out_sample(kSample, slots) : prepare_queries(format_, queries);
  const std::uint32_t k = static_cast<std::uint32_t>(std::min<std::size_t>(options.k, meta_.size - (own ? 1 : 0)));
  if (k == 0) throw InvalidArgument("an index of 1 vector has none to hold out; give queries to tune on");
  std::vector<std::uint32_t> ks = calibrated_ks(meta_.size);
  if (std::find(ks.begin(), ks.end(), k) == ks.end()) ks.insert(std::lower_bound(ks.begin(), ks.end(), k), k);
  const std::size_t j = static_cast<std::size_t>(std::find(ks.begin(), ks.end(), k) - ks.begin());
  const std::vector<Measurement> measured =
      measure_sample(sample, own ? slots.data() : nullptr, {ks, 0.0, options.threads, options.progress});
  std::vector<TunePoint> points;
  for (const Measurement& m : measured) {
    if (m.effort >= k) points.push_back({m.recalls[j], effort_of(k, m.effort).probes, m.qps});
  }
  const std::unique_lock<std::shared_mutex> lock(calibration_mutex_);
  calibration_ = make_calibration(meta_.size, ks, measured, kCaution);
  return points;
}

CheckReport DiskIndex::check(bool deep) const {
  reader_->verify();
  id_map_.check();
  CheckReport report;
  report.vectors = meta_.size;
  if (!deep) return report;
  check_rows();
  report.links = check_lists();
  report.reachable = meta_.size;
  return report;
}

void DiskIndex::check_rows() const {
  vectors::Matrix batch(format_);
  for (std::size_t first = 0; first < meta_.size; first += kRowsAtOnce) {
    read_rows(first, std::min<std::size_t>(kRowsAtOnce, meta_.size - first), batch);
    batch.check();
  }
}

// Every vector has one first copy; returns the copies in all.
std::size_t DiskIndex::check_lists() const {
  std::vector<bool> met(meta_.size, false);
  std::size_t copies = 0, first_copies = 0;
  const distance::ScanShape shape = spann::list_shape(format_.dim, format_.metric);
  for (std::size_t first = 0; first < lists_.size(); first += kListsAtOnce) {
    const std::vector<std::uint32_t> numbers = numbers_from(first, std::min(kListsAtOnce, lists_.size() - first));
    spann::FetchCost cost;
    lists_.fetch(
        numbers.data(), numbers.size(),
        [&](std::size_t place, const std::byte* data, std::size_t size) {
          const spann::ListView list(data, size, shape);
          copies += list.entries();
          for (std::size_t i = 0; i < list.entries(); ++i) {
            const std::uint32_t entry = list.entry(i);
            const std::uint32_t slot = spann::slot_of(entry);
            const bool is_first = (entry & spann::kReplica) == 0;
            if (slot >= met.size() || (is_first && met[slot])) {
              throw CorruptIndexError("list " + std::to_string(numbers[place]) + " holds vector " +
                                      std::to_string(slot) + (slot < met.size() ? " once more" : ", which is none"));
            }
            if (is_first) met[slot] = true, ++first_copies;
          }
        },
        cost);
  }
  if (first_copies != met.size()) {
    throw CorruptIndexError(std::to_string(met.size() - first_copies) + " vectors are in no list");
  }
  return copies;
}

}  // namespace hopspan::index
