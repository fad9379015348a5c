#include "index/hnsw_engine.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "core/threads.h"
#include "hnsw/insert.h"
#include "index/graph_sections.h"
#include "index/ties.h"
#include "vectors/query.h"

namespace hopspan::index {
namespace {

constexpr double kDefaultRecall = 0.95;
constexpr std::size_t kCalibrateFrom = 1000;  // smaller indexes are searched with full effort
constexpr std::size_t kRowsPerSample = 8;     // what a sample costs stays in proportion to building the graph
constexpr std::size_t kLeastSample = 125;
constexpr std::size_t kMostSample = 1000;
constexpr double kTolerance = 0.003;
constexpr double kCaution = 0.0;
constexpr std::size_t kExpansionsPerPiece = 2048;  // between looks at the progress callback, at least one query

bool nearer(const hnsw::Neighbor& a, const hnsw::Neighbor& b) {
  return a.distance != b.distance ? a.distance < b.distance : a.slot < b.slot;
}

// Replaces the distances by those of the rows.
void measure_exactly(const hnsw::Space& exact, const void* query, hnsw::Neighbor* candidates, std::size_t count,
                     hnsw::Scratch& scratch) {
  scratch.fit(count);
  for (std::size_t i = 0; i < count; ++i) scratch.slots[i] = candidates[i].slot;
  exact.distances(query, scratch.slots.data(), count, scratch.distances.data());
  for (std::size_t i = 0; i < count; ++i) candidates[i].distance = scratch.distances[i];
}

std::vector<std::uint32_t> calibrated_ks(std::size_t size) {
  std::vector<std::uint32_t> ks;
  for (const std::uint32_t k : {10U, 100U}) {
    if (k < size) ks.push_back(k);
  }
  return ks;
}

}  // namespace

HnswEngine::HnswEngine(const IndexOptions& options, const vectors::Matrix& rows, const IdMap& id_map)
    : options_(options), rows_(rows), id_map_(id_map), exact_(rows), graph_(options.hnsw) {}

void HnswEngine::insert(const AddOptions& options) {
  if (!validated_) hnsw::validate(graph_, options_.hnsw, graph_.size());
  validated_ = true;
  Calibration fresh;
  const bool stale = rows_.size() >= kCalibrateFrom && rows_.size() > 2 * calibration_.size();
  const auto calibrate_it = [&] {
    if (stale) fresh = calibrate_held_out(options);
  };
  follow_rows(options, [&] {
    hnsw::insert(graph_, walked(), options_.hnsw, options_.seed, options.threads, options.progress, calibrate_it);
  });
  if (!fresh.empty()) calibration_ = std::move(fresh);
}

// Brings the codes up to the rows and calls `insert`; when that throws, the codes are as they were.
void HnswEngine::follow_rows(const AddOptions& options, core::FunctionRef<void()> insert) {
  const std::size_t before = graph_.size();
  std::unique_ptr<Traversal> learnt;
  if (Traversal::serves(options_, rows_.size()) && (traversal_ == nullptr || traversal_->outgrown())) {
    learnt = std::make_unique<Traversal>(rows_, options_, options);
  } else if (traversal_ != nullptr) {
    traversal_->extend(options);
  }
  const bool anew = learnt != nullptr;
  if (anew) traversal_.swap(learnt);
  try {
    insert();
  } catch (...) {
    if (anew) {
      traversal_.swap(learnt);
    } else if (traversal_ != nullptr) {
      traversal_->truncate(before);
    }
    throw;
  }
}

std::size_t HnswEngine::effort(const SearchOptions& options) const {
  const std::size_t size = graph_.size();
  if (options.ef) return std::min(*options.ef, size);
  return calibration_.effort(options.k, options.recall.value_or(kDefaultRecall), size);
}

void HnswEngine::search(const MatrixView& queries, const SearchOptions& options, std::int64_t* ids,
                        float* distances) const {
  const std::size_t ef = effort(options);
  const std::size_t grain = std::clamp<std::size_t>(kExpansionsPerPiece / (ef + 1), 1, 16);
  core::parallel_for(
      queries.rows, grain, options.threads, options.progress, [&](std::size_t begin, std::size_t end, std::size_t) {
        const auto worker = spares_.take();
        for (std::size_t row = begin; row < end; ++row) {
          search_one(queries, row, options.k, ef, *worker, ids + row * options.k, distances + row * options.k);
        }
      });
}

void HnswEngine::search_one(const MatrixView& queries, std::size_t row, std::size_t k, std::size_t ef, Worker& worker,
                            std::int64_t* ids, float* distances) const {
  const std::size_t wanted = std::min(k, graph_.size());
  worker.query.resize(vectors::prepared_bytes(rows_.format()));
  if (worker.found.size() < wanted) worker.found.resize(wanted);
  vectors::prepare_query(rows_.format(), queries, row, worker.query.data());
  const hnsw::Neighbor* const found = worker.found.data();
  const std::size_t count = find(worker.query.data(), wanted, ef, worker, worker.found.data(), hnsw::kNone);
  for (std::size_t i = 0; i < count; ++i) {
    ids[i] = id_map_.id(found[i].slot);
    distances[i] = found[i].distance;
  }
  if (!id_map_.identity()) order_ties(ids, distances, count);
  std::fill(ids + count, ids + k, std::int64_t{-1});
  std::fill(distances + count, distances + k, std::numeric_limits<float>::infinity());
}

// As hnsw::search; what is found on codes is ranked again by the rows.
std::size_t HnswEngine::find(const void* query, std::size_t k, std::size_t ef, Worker& worker, hnsw::Neighbor* out,
                             std::uint32_t excluded) const {
  if (traversal_ == nullptr) return hnsw::search(graph_, exact_, query, k, ef, worker.scratch, out, excluded);
  worker.code_query.resize(traversal_->query_bytes());
  traversal_->prepare(query, worker.code_query.data());
  const std::size_t kept = std::max(ef, k) + traversal_->spare(k);
  if (worker.candidates.size() < kept) worker.candidates.resize(kept);
  hnsw::Neighbor* const candidates = worker.candidates.data();
  const std::size_t count = hnsw::search(graph_, traversal_->space(), worker.code_query.data(), kept, ef,
                                         worker.scratch, candidates, excluded);
  rank(query, k, candidates, count, worker.scratch);
  const std::size_t found = std::min(k, count);
  std::copy_n(candidates, found, out);
  return found;
}

// Puts the k nearest by the rows first. The candidates come by the distance of their codes: once so many have been
// measured, those whose codes are too far off to be among them are left out.
void HnswEngine::rank(const void* query, std::size_t k, hnsw::Neighbor* candidates, std::size_t count,
                      hnsw::Scratch& scratch) const {
  const std::size_t first = std::min(count, k + k / 2);
  measure_exactly(exact_, query, candidates, first, scratch);
  std::size_t end = first;
  if (first < count) {
    std::nth_element(candidates, candidates + (k - 1), candidates + first, nearer);
    const float farthest = candidates[k - 1].distance;
    end = static_cast<std::size_t>(
        std::find_if(candidates + first, candidates + count,
                     [&](const hnsw::Neighbor& c) { return traversal_->least_distance(c.distance) > farthest; }) -
        candidates);
    measure_exactly(exact_, query, candidates + first, end - first, scratch);
  }
  std::partial_sort(candidates, candidates + std::min(k, end), candidates + end, nearer);
}

std::vector<Measurement> HnswEngine::measure_sample(const Sample& sample, const MeasureOptions& options) const {
  return measure(rows_, sample, options, [&](std::size_t query, std::size_t k, std::size_t ef, hnsw::Neighbor* out) {
    const auto worker = spares_.take();
    const std::uint32_t excluded = sample.excluded() == nullptr ? hnsw::kNone : sample.excluded()[query];
    return find(sample.queries()[query], k, ef, *worker, out, excluded);
  });
}

Calibration HnswEngine::calibrate_held_out(const AddOptions& options) const {
  Progress cancel_only;
  if (options.progress) {
    cancel_only = [&](std::size_t, std::size_t) { options.progress(rows_.size(), rows_.size()); };
  }
  const std::size_t count = std::clamp(rows_.size() / kRowsPerSample, kLeastSample, kMostSample);
  const Sample sample = held_out(rows_, count, options_.seed);
  const MeasureOptions how{calibrated_ks(rows_.size()), kTolerance, options.threads, cancel_only};
  return make_calibration(rows_.size(), how.ks, measure_sample(sample, how), kCaution);
}

std::vector<TunePoint> HnswEngine::tune(const MatrixView& queries, const TuneOptions& options) {
  const bool own = queries.data == nullptr;
  const Sample sample = own ? held_out(rows_, kMostSample, options_.seed) : prepare_queries(rows_.format(), queries);
  const std::size_t available = rows_.size() - (own ? 1 : 0);
  const std::uint32_t k = static_cast<std::uint32_t>(std::min(options.k, available));
  if (k == 0) throw InvalidArgument("an index of 1 vector has none to hold out; give queries to tune on");
  std::vector<std::uint32_t> ks = calibrated_ks(rows_.size());
  if (std::find(ks.begin(), ks.end(), k) == ks.end()) ks.insert(std::lower_bound(ks.begin(), ks.end(), k), k);
  const std::size_t j = static_cast<std::size_t>(std::find(ks.begin(), ks.end(), k) - ks.begin());
  const std::vector<Measurement> measured = measure_sample(sample, {ks, 0.0, options.threads, options.progress});
  std::vector<TunePoint> points;
  for (const Measurement& m : measured) {
    if (m.effort >= k) points.push_back({m.recalls[j], m.effort, m.qps});
  }
  calibration_ = make_calibration(rows_.size(), ks, measured, kCaution);
  return points;
}

void HnswEngine::save(storage::ContainerWriter& writer) const {
  if (traversal_ != nullptr) traversal_->save(writer);
  write_graph(graph_, writer);
  storage::ByteWriter calibration;
  calibration_.write(calibration);
  writer.begin("CALB");
  writer.append(calibration.data(), calibration.size());
  writer.end();
}

void HnswEngine::load(const storage::ContainerReader& reader, bool verify) {
  graph_ = read_graph(reader, options_.hnsw, rows_.size());
  std::vector<std::byte> bytes(reader.size("CALB"));
  reader.read("CALB", 0, bytes.data(), bytes.size());
  storage::ByteReader calibration(bytes.data(), bytes.size(), "the calibration");
  calibration_ = Calibration::read(calibration);
  if (Traversal::saved_in(reader)) traversal_ = std::make_unique<Traversal>(rows_, reader);
  if (verify) hnsw::validate(graph_, options_.hnsw, rows_.size());
  validated_ = verify;
}

void HnswEngine::describe(Stats& stats) const {
  std::size_t graph_bytes = 0;
  for (const hnsw::Level& level : graph_.levels) {
    stats.level_sizes.push_back(level.size);
    graph_bytes += level.links.capacity_bytes() + level.slots.capacity_bytes() + level.below.capacity_bytes();
  }
  stats.bytes.emplace_back("graph", graph_bytes);
  if (traversal_ != nullptr) {
    stats.bytes.emplace_back("codes", traversal_->bytes());
    stats.codes = traversal_->kind();
  }
  const hnsw::Level& base = graph_.levels[0];
  std::size_t links = 0;
  for (std::size_t node = 0; node < base.size; ++node) {
    const std::size_t degree = hnsw::degree(base.row(node), base.width);
    links += degree;
    stats.max_degree = std::max(stats.max_degree, degree);
  }
  if (base.size != 0) stats.mean_degree = static_cast<double>(links) / static_cast<double>(base.size);
}

void HnswEngine::check(bool deep, CheckReport& report) const {
  hnsw::validate(graph_, options_.hnsw, rows_.size());
  for (const hnsw::Level& level : graph_.levels) {
    for (std::size_t node = 0; node < level.size; ++node) report.links += hnsw::degree(level.row(node), level.width);
  }
  if (!deep) return;
  report.reachable = hnsw::count_reachable(graph_);
  if (report.reachable != rows_.size()) {
    throw CorruptIndexError(std::to_string(rows_.size() - report.reachable) + " of " + std::to_string(rows_.size()) +
                            " vectors cannot be reached in the graph");
  }
}

}  // namespace hopspan::index
