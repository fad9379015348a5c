#include "index/disk_index.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <limits>
#include <mutex>
#include <string>
#include <utility>

#include "core/threads.h"
#include "index/search_options.h"
#include "index/spann_options.h"
#include "index/stopwatch.h"
#include "index/ties.h"
#include "storage/atomic_file.h"
#include "vectors/elements.h"
#include "vectors/query.h"

namespace hopspan::index {
namespace {

constexpr double kDefaultRecall = 0.95;
constexpr std::size_t kLeastK = 10;      // fewer neighbours take as much: the codes that rank them err alike
constexpr std::size_t kEntriesPerK = 2;  // that probed lists hold at least, or every list is probed
constexpr float kFar = std::numeric_limits<float>::infinity();
constexpr std::size_t kCopyBytes = std::size_t{1} << 20;

spann::CodedHeads read_heads(const storage::ContainerReader& reader, std::size_t lists,
                             const vectors::RowFormat& format) {
  spann::HeadCodes codes{reader.array<float>("SPHM", true), reader.array<float>("SPHS", true),
                         reader.array<std::int8_t>("SPHC", true)};
  if (lists == 0 || codes.middle.size() != format.dim || codes.steps.size() != lists ||
      codes.codes.size() != core::checked_mul(lists, format.dim)) {
    throw CorruptIndexError("sections SPHM, SPHS and SPHC hold " + std::to_string(codes.middle.size()) + ", " +
                            std::to_string(codes.steps.size()) + " and " + std::to_string(codes.codes.size()) +
                            " values for " + std::to_string(lists) + " lists");
  }
  for (const core::Array<float>* values : {&codes.middle, &codes.steps}) {
    if (!std::all_of(values->data(), values->data() + values->size(),
                     [](float value) { return std::isfinite(value); })) {
      throw CorruptIndexError("a head has a value that is not finite");
    }
  }
  return spann::CodedHeads(std::move(codes), format.metric);
}

std::shared_ptr<const ListCalibration> read_calibration(const storage::ContainerReader& reader) {
  if (!reader.has("SPCA")) return nullptr;
  std::vector<std::byte> bytes(reader.size("SPCA"));
  reader.read("SPCA", 0, bytes.data(), bytes.size());
  storage::ByteReader calibration(bytes.data(), bytes.size(), "the calibration");
  auto read = std::make_shared<const ListCalibration>(ListCalibration::read(calibration));
  return read->empty() ? nullptr : read;
}

std::shared_ptr<const storage::ContainerReader> open_container(std::shared_ptr<const storage::RandomAccessFile> file,
                                                               bool verify) {
  auto reader = std::make_shared<const storage::ContainerReader>(std::move(file));
  refuse_earlier_lists(*reader);
  if (verify) reader->verify();
  return reader;
}

}  // namespace

DiskIndex::DiskIndex(std::shared_ptr<const storage::RandomAccessFile> file, bool verify, std::size_t cache_bytes)
    : DiskIndex(open_container(std::move(file), verify), cache_bytes) {
  if (verify) ids_.check();
}

DiskIndex::DiskIndex(const std::shared_ptr<const storage::ContainerReader>& reader, std::size_t cache_bytes)
    : reader_(reader),
      meta_(load_meta(*reader)),
      format_{meta_.options.dim, meta_.options.metric, meta_.options.dtype},
      distance_(vectors::kernel_of(format_).one),
      ids_(*reader, meta_.size),
      coder_(disk_coder(meta_.options)),
      lists_(reader, cache_bytes / 2),
      rows_(reader, format_.row_bytes(), meta_.size, cache_bytes / 2),
      heads_(read_heads(*reader, lists_.size(), format_)),
      calibration_(read_calibration(*reader)) {
  if (meta_.options.kind != Kind::kSpann) throw CorruptIndexError("lists on disk in an index of another kind");
}

DiskIndex::Plan DiskIndex::plan(const SearchOptions& options) const {
  const std::size_t k = std::min<std::size_t>(options.k, meta_.size), judged = std::max(options.k, kLeastK);
  std::shared_ptr<const ListCalibration> calibration;
  {
    const std::shared_lock<std::shared_mutex> lock(calibration_mutex_);
    calibration = calibration_;
  }
  if (calibration == nullptr) return plan(k, {kFar, options.nprobe.value_or(lists_.size()), meta_.size});
  if (options.nprobe) return plan(k, {kFar, *options.nprobe, calibration->candidates(judged, *options.nprobe)});
  return plan(k, calibration->effort(judged, options.recall.value_or(kDefaultRecall)));
}

// What is within the index and enough for k neighbours.
DiskIndex::Plan DiskIndex::plan(std::size_t k, ListEffort effort) const {
  const std::size_t least = k * kEntriesPerK * lists_.size() / meta_.size + 1;
  effort.probes = std::min(std::max(effort.probes, least), lists_.size());
  effort.candidates = std::max({effort.candidates, k, std::min(kLeastK, meta_.size)});
  return {k, effort};
}

void DiskIndex::find_heads(const std::byte* prepared, std::size_t count, Worker& worker) const {
  worker.query.resize(format_.dim);
  worker.heads.resize(count);
  spann::query_to_floats(format_, prepared, worker.query.data());
  heads_.probe(worker.query.data(), count, worker.probing, worker.heads.data());
}

float DiskIndex::distance_offset(const float* query) const {
  float square = 0.0F;
  for (std::size_t d = 0; format_.metric == Metric::kL2 && d < format_.dim; ++d) square += query[d] * query[d];
  return format_.metric == Metric::kCosine ? 1.0F : square;
}

std::size_t DiskIndex::search_one(const std::byte* prepared, const Plan& plan, Worker& worker) const {
  const Stopwatch watch;
  worker.found.resize(plan.k);
  worker.scratch.cost = {};
  spann::FetchCost row_cost;
  const ListEffort& effort = plan.effort;
  find_heads(prepared, effort.probes, worker);
  const spann::ListSearcher searcher(coder_, heads_.lengths(), lists_, meta_.size);
  const auto distances = [&](const std::uint32_t* slots, std::size_t n, float* out) {
    rows_.fetch(
        slots, n,
        [&](std::size_t place, const std::byte* row, std::size_t) {
          out[place] = distance_(prepared, row, format_.dim);
        },
        row_cost);
  };
  spann::SearchRequest request{worker.query.data(), worker.heads.data(), effort.probes, plan.k, effort.candidates};
  request.copies = disk_replicas(meta_.options);
  request.reach = effort.reach;
  request.offset = distance_offset(worker.query.data());
  request.judged = std::max(plan.k, kLeastK);
  const std::size_t found = searcher.search(request, distances, worker.scratch, worker.found.data());
  count(worker.scratch.cost, row_cost, static_cast<std::uint64_t>(watch.seconds() * 1e9));
  return found;
}

void DiskIndex::count(const spann::FetchCost& lists, const spann::FetchCost& rows, std::uint64_t nanoseconds) const {
  ++counters_.searches;
  counters_.lists += lists.fetched;
  counters_.vectors += rows.fetched;
  counters_.list_pages += lists.pages;
  counters_.pages += lists.pages + rows.pages;
  counters_.bytes += lists.bytes + rows.bytes;
  counters_.round_trips += lists.round_trips + rows.round_trips;
  counters_.waiting_ns += lists.waiting_ns + rows.waiting_ns;
  counters_.all_ns += nanoseconds;
}

void DiskIndex::search(const MatrixView& queries, const SearchOptions& options, std::int64_t* ids,
                       float* distances) const {
  check_search(meta_.options.kind, options);
  vectors::check_queries(format_, queries);
  const std::size_t k = options.k;
  const Plan how = plan(options);
  const auto body = [&](std::size_t row, std::size_t, std::size_t) {
    const auto worker = spares_.take();
    worker->prepared.resize(vectors::prepared_bytes(format_));
    vectors::prepare_query(format_, queries, row, worker->prepared.data());
    const std::size_t found = search_one(worker->prepared.data(), how, *worker);
    std::int64_t* const row_ids = ids + row * k;
    float* const row_distances = distances + row * k;
    for (std::size_t i = 0; i < found; ++i) {
      row_ids[i] = ids_.id(worker->found[i].slot);
      row_distances[i] = worker->found[i].distance;
    }
    order_ties(row_ids, row_distances, found);
    std::fill(row_ids + found, row_ids + k, std::int64_t{-1});
    std::fill(row_distances + found, row_distances + k, std::numeric_limits<float>::infinity());
  };
  core::parallel_for(queries.rows, 1, options.threads, options.progress, body);
}

std::vector<std::int64_t> DiskIndex::add(const MatrixView&, const std::int64_t*, const AddOptions&) {
  throw InvalidArgument("an index on disk cannot be added to; build it anew");
}

std::size_t DiskIndex::remove(const std::int64_t*, std::size_t, const AddOptions&) {
  throw InvalidArgument("an index on disk cannot be changed; build it again without the vectors");
}

void DiskIndex::get(const std::int64_t* ids, std::size_t count, void* out) const {
  std::vector<std::uint32_t> slots(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::optional<std::uint32_t> slot = ids_.find(ids[i]);
    if (!slot) {
      throw InvalidArgument("id " + std::to_string(ids[i]) + " (row " + std::to_string(i) + ") is not in the index");
    }
    slots[i] = *slot;
  }
  spann::FetchCost cost;
  const auto copy = [&](std::size_t place, const std::byte* row, std::size_t) {
    std::memcpy(static_cast<std::byte*>(out) + place * row_bytes(), row, row_bytes());
  };
  rows_.fetch(slots.data(), count, copy, cost);
}

// The file's bytes: nothing but the calibration may have changed, and that stays with the object.
void DiskIndex::save(storage::Env& env, const std::filesystem::path& path) const {
  reader_->verify();
  storage::atomic_save(env, path, [&](storage::WritableFile& file) {
    std::vector<std::byte> part(kCopyBytes);
    const std::uint64_t size = reader_->file().size();
    for (std::uint64_t done = 0; done < size; done += part.size()) {
      part.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kCopyBytes, size - done)));
      reader_->file().read(done, part.data(), part.size());
      file.append(part.data(), part.size());
    }
  });
}

std::vector<std::byte> DiskIndex::to_bytes() const {
  std::vector<std::byte> bytes(static_cast<std::size_t>(reader_->file().size()));
  reader_->file().read(0, bytes.data(), bytes.size());
  return bytes;
}

Stats DiskIndex::stats() const {
  Stats stats;
  stats.size = meta_.size;
  stats.bytes.emplace_back("ids", ids_.bytes());
  stats.bytes.emplace_back("heads", heads_.bytes());
  stats.bytes.emplace_back("pages", lists_.resident_bytes() + rows_.resident_bytes());
  for (std::size_t list = 0; list < lists_.size(); ++list) {
    stats.list_sizes.push_back(spann::entries_in(coder_.shape(), lists_.list_bytes(list)));
  }
  const std::uint64_t waiting_us = counters_.waiting_ns / 1000, all_us = counters_.all_ns / 1000;
  stats.reads = {counters_.searches,
                 counters_.lists,
                 counters_.vectors,
                 counters_.list_pages,
                 counters_.pages,
                 counters_.bytes,
                 counters_.round_trips,
                 waiting_us,
                 all_us - std::min(all_us, waiting_us),
                 storage::name(storage::read_backend())};
  return stats;
}

}  // namespace hopspan::index
