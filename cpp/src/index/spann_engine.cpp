#include "index/spann_engine.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "core/threads.h"
#include "index/list_sections.h"
#include "index/spann_options.h"
#include "index/ties.h"
#include "spann/floats.h"
#include "spann/lists/format.h"
#include "spann/lists/memory_lists.h"
#include "spann/lists/product_coder.h"
#include "vectors/elements.h"
#include "vectors/query.h"

namespace hopspan::index {
namespace {

constexpr double kDefaultRecall = 0.95;
constexpr std::size_t kRowsPerSample = 32;
constexpr std::size_t kLeastSample = 100;
constexpr std::size_t kMostSample = 500;
constexpr double kTolerance = 0.004;
constexpr double kCaution = 2.0;            // lists meet a target less evenly than a graph does
constexpr std::size_t kEffortPerProbe = 2;  // candidates to compare again for each list
constexpr std::size_t kCandidatesPerK = 4;  // at least, for a given number of lists
constexpr std::size_t kLeastK = 10;         // fewer neighbours take as much: the codes that rank them err alike
constexpr std::size_t kEntriesPerK = 2;     // that probed lists hold at least, or every list is probed

}  // namespace

SpannEngine::SpannEngine(const IndexOptions& options, const vectors::Matrix& rows, const IdMap& id_map)
    : options_(options), rows_(rows), id_map_(id_map), space_(rows) {}

std::size_t SpannEngine::count_entries(const spann::Lists& lists) const {
  const distance::ScanShape shape = spann::product_shape(rows_.format().dim, options_.metric);
  std::size_t entries = 0;
  for (const spann::ListArray& list : lists.lists) {
    entries += spann::ListView(list.data(), list.size(), shape).entries();
  }
  return entries;
}

std::unique_ptr<spann::RankedHeads> SpannEngine::rank(const std::vector<float>& heads) const {
  const std::size_t dim = rows_.format().dim;
  return std::make_unique<spann::RankedHeads>(heads.data(), heads.size() / dim, dim, options_.metric);
}

SpannEngine::Effort SpannEngine::effort(const SearchOptions& options) const {
  const std::size_t k = std::max(options.k, kLeastK);
  if (options.nprobe) {
    Effort given = effort_of(options.k, *options.nprobe * kEffortPerProbe);
    given.candidates = std::max(given.candidates, k * kCandidatesPerK);
    return given;
  }
  if (state_.calibration.empty()) return effort_of(options.k, kEffortPerProbe * state_.copies);
  return effort_of(options.k, state_.calibration.effort(k, options.recall.value_or(kDefaultRecall), state_.size));
}

// Calibration asks for more neighbours than a search may, so what is done must follow from the effort alone.
SpannEngine::Effort SpannEngine::effort_of(std::size_t k, std::size_t effort) const {
  const std::size_t lists = state_.lists.lists.size();
  const std::size_t wanted = std::min(k, state_.size);
  std::size_t probes = effort / kEffortPerProbe;
  if (wanted != 0) probes = std::max(probes, wanted * kEntriesPerK * lists / state_.size + 1);
  probes = std::min(probes, lists);
  return {wanted, probes, std::max({effort, wanted, std::size_t{1}})};
}

void SpannEngine::search_some(const std::byte* prepared, std::size_t stride, std::size_t count,
                              const std::uint32_t* excluded, const Effort& effort, Worker& worker,
                              std::size_t* found) const {
  const std::size_t dim = rows_.format().dim;
  worker.queries.resize(kQueriesAtOnce * dim);
  worker.heads.resize(kQueriesAtOnce * std::max<std::size_t>(1, effort.probes));
  worker.found.resize(kQueriesAtOnce * std::max<std::size_t>(1, effort.k));
  for (std::size_t i = 0; i < count; ++i)
    spann::query_to_floats(rows_.format(), prepared + i * stride, &worker.queries[i * dim]);
  state_.heads->probe(worker.queries.data(), count, effort.probes, worker.centers, worker.heads.data());
  const spann::MemoryLists source(state_.lists.lists);
  const spann::ProductCoder coder(state_.lists.codebook, options_.metric);
  const spann::ListSearcher searcher(coder, state_.heads->lengths(), source, rows_.size());
  for (std::size_t i = 0; i < count; ++i) {
    const std::byte* const query = prepared + i * stride;
    spann::SearchRequest request{&worker.queries[i * dim], &worker.heads[i * effort.probes], effort.probes, effort.k,
                                 effort.candidates};
    if (excluded != nullptr) request.excluded = excluded[i];
    const auto distances = [&](const std::uint32_t* slots, std::size_t n, float* out) {
      space_.distances(query, slots, n, out);
    };
    found[i] = searcher.search(request, distances, worker.scratch, &worker.found[i * effort.k]);
  }
}

void SpannEngine::search(const MatrixView& queries, const SearchOptions& options, std::int64_t* ids,
                         float* distances) const {
  const std::size_t k = options.k;
  if (state_.size == 0) {
    std::fill(ids, ids + queries.rows * k, std::int64_t{-1});
    std::fill(distances, distances + queries.rows * k, std::numeric_limits<float>::infinity());
    return;
  }
  const Effort how = effort(options);
  const std::size_t stride = vectors::prepared_bytes(rows_.format());
  const std::size_t grain = std::clamp<std::size_t>(2048 / how.probes, 1, kQueriesAtOnce);
  core::parallel_for(
      queries.rows, grain, options.threads, options.progress, [&](std::size_t begin, std::size_t end, std::size_t) {
        const auto worker = spares_.take();
        const std::size_t count = end - begin;
        worker->prepared.resize(count * stride);
        for (std::size_t i = 0; i < count; ++i) {
          vectors::prepare_query(rows_.format(), queries, begin + i, worker->prepared.data() + i * stride);
        }
        std::size_t found[kQueriesAtOnce];
        search_some(worker->prepared.data(), stride, count, nullptr, how, *worker, found);
        for (std::size_t i = 0; i < count; ++i) {
          give(*worker, i * how.k, found[i], k, ids + (begin + i) * k, distances + (begin + i) * k);
        }
      });
}

void SpannEngine::give(const Worker& worker, std::size_t first, std::size_t count, std::size_t k, std::int64_t* ids,
                       float* distances) const {
  for (std::size_t i = 0; i < count; ++i) {
    ids[i] = id_map_.id(worker.found[first + i].slot);
    distances[i] = worker.found[first + i].distance;
  }
  if (!id_map_.identity()) order_ties(ids, distances, count);
  std::fill(ids + count, ids + k, std::int64_t{-1});
  std::fill(distances + count, distances + k, std::numeric_limits<float>::infinity());
}

std::vector<Measurement> SpannEngine::measure_sample(const Sample& sample, const MeasureOptions& options,
                                                     const Slots& holes) const {
  const auto search = [&](std::size_t query, std::size_t k, std::size_t effort, hnsw::Neighbor* out) {
    const auto worker = spares_.take();
    const std::uint32_t* const excluded = sample.excluded() == nullptr ? nullptr : sample.excluded() + query;
    std::size_t found = 0;
    search_some(sample.queries()[query], 0, 1, excluded, effort_of(k, effort), *worker, &found);
    for (std::size_t i = 0; i < found; ++i) out[i] = {worker->found[i].distance, worker->found[i].slot};
    return found;
  };
  return measure(rows_, sample, options, search, holes);
}

Calibration SpannEngine::calibrate_held_out(const AddOptions& options, const Slots& holes) const {
  const std::size_t size = state_.size;
  const Sample sample =
      held_out(rows_, std::clamp(size / kRowsPerSample, kLeastSample, kMostSample), options_.seed, holes);
  const MeasureOptions how{calibrated_ks(size), kTolerance, options.threads, options.progress};
  return make_calibration(size, how.ks, measure_sample(sample, how, holes), kCaution);
}

std::vector<TunePoint> SpannEngine::tune(const MatrixView& queries, const TuneOptions& options) {
  const bool own = queries.data == nullptr;
  const std::size_t size = state_.size;
  const Slots holes = id_map_.holes();
  const Sample sample =
      own ? held_out(rows_, kMostSample, options_.seed, holes) : prepare_queries(rows_.format(), queries);
  const std::size_t available = size - (own ? 1 : 0);
  const std::uint32_t k = static_cast<std::uint32_t>(std::min(options.k, available));
  if (k == 0) throw InvalidArgument("an index of 1 vector has none to hold out; give queries to tune on");
  std::vector<std::uint32_t> ks = calibrated_ks(size);
  if (std::find(ks.begin(), ks.end(), k) == ks.end()) ks.insert(std::lower_bound(ks.begin(), ks.end(), k), k);
  const std::size_t j = static_cast<std::size_t>(std::find(ks.begin(), ks.end(), k) - ks.begin());
  const std::vector<Measurement> measured = measure_sample(sample, {ks, 0.0, options.threads, options.progress}, holes);
  std::vector<TunePoint> points;
  for (const Measurement& m : measured) {
    if (m.effort >= k) points.push_back({m.recalls[j], effort_of(k, m.effort).probes, m.qps[j]});
  }
  state_.calibration = make_calibration(size, ks, measured, kCaution);
  return points;
}

void SpannEngine::save(storage::ContainerWriter& writer) const {
  write_lists(state_.lists, writer);
  storage::ByteWriter state;
  state.u64(state_.built_size);
  state_.calibration.write(state);
  writer.write("SPST", state.data(), state.size());
  if (state_.moved != 0) writer.write("SPMV", &state_.moved, sizeof state_.moved);
}

void SpannEngine::load(const storage::ContainerReader& reader, bool verify) {
  state_.lists = read_lists(reader, rows_.format().dim, options_.metric);
  state_.size = id_map_.live();
  if ((state_.size == 0) != state_.lists.lists.empty()) {
    throw CorruptIndexError(std::to_string(state_.lists.lists.size()) + " lists for " + std::to_string(state_.size) +
                            " vectors");
  }
  std::vector<std::byte> bytes(reader.size("SPST"));
  reader.read("SPST", 0, bytes.data(), bytes.size());
  storage::ByteReader state(bytes.data(), bytes.size(), "the state of the lists");
  state_.built_size = state.u64();
  if (state_.built_size > rows_.size() || (state_.built_size == 0) != (state_.size == 0)) {
    throw CorruptIndexError("lists made of " + std::to_string(state_.built_size) + " of " +
                            std::to_string(rows_.size()) + " vectors");
  }
  if (reader.has("SPMV")) reader.read("SPMV", 0, &state_.moved, sizeof state_.moved);
  state_.calibration = Calibration::read(state);
  validated_ = false;
  if (verify) validate_once({});
  state_.heads = rank(state_.lists.heads);
  state_.copies = count_entries(state_.lists);
}

void SpannEngine::describe(Stats& stats) const {
  std::size_t bytes = 0;
  const distance::ScanShape shape = spann::product_shape(rows_.format().dim, options_.metric);
  for (const spann::ListArray& list : state_.lists.lists) {
    bytes += list.capacity_bytes();
    stats.list_sizes.push_back(spann::ListView(list.data(), list.size(), shape).entries());
  }
  stats.copies = state_.copies;
  stats.bytes.emplace_back("lists", bytes);
  stats.bytes.emplace_back("heads", 2 * state_.lists.heads.size() * sizeof(float));
  if (ledger_ != nullptr) {
    const std::size_t centers = state_.lists.heads.size() * sizeof(float);
    stats.bytes.emplace_back("places", ledger_->places.bytes() + centers);
  }
}

void SpannEngine::check(bool, CheckReport& report) const {
  validate(state_.lists, rows_.format().dim, options_.metric, rows_.size(),
           [&](std::uint32_t slot) { return id_map_.id(slot) != kNoId; });
  report.links = state_.copies;
  report.reachable = state_.size;
}

}  // namespace hopspan::index
