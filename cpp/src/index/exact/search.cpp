#include "index/exact/search.h"

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "core/threads.h"
#include "index/exact/distance.h"
#include "index/exact/shortlist.h"
#include "vectors/query.h"

namespace hopspan::index::exact {
namespace {

constexpr std::size_t kGroupBytes = std::size_t{64} << 20;  // what the queries of one pass over the rows may take
constexpr std::size_t kPackFrom = 24;                       // as many queries pay for packing the rows
constexpr std::size_t kPackedBytes = std::size_t{128} << 10;
constexpr std::size_t kScanBytes = std::size_t{16} << 10;
constexpr std::size_t kCachedBytes = std::size_t{1} << 20;  // of rows that are likely to be in the cache
constexpr std::size_t kMaxRows = 256;                       // of a block
constexpr std::size_t kTileQueries = 48;  // that are multiplied with a block before the products are looked at
constexpr std::size_t kUnitProducts = std::size_t{1} << 26;   // of elements, in one step that cannot be interrupted
constexpr std::size_t kPieceProducts = std::size_t{1} << 20;  // that pay for handing out a piece of work

std::size_t round_up(std::size_t value, std::size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

// One pass over the rows for a group of queries. The work is cut into units: a block of rows against a chunk of
// queries.
class Pass {
 public:
  Pass(const vectors::Matrix& rows, const IdMap& id_map, const Queries& queries, const NormRange& norms,
       const Request& request)
      : rows_(rows),
        id_map_(id_map),
        queries_(queries),
        request_(request),
        kernel_(vectors::kernel_of(rows.format())),
        distance_(distance_fn(rows.format())),
        packed_(rows.format().metric != Metric::kHamming && queries.count >= kPackFrom) {
    const vectors::RowFormat& format = rows.format();
    if (packed_) {
      const std::size_t tile = distance::blocks().row_tile;
      block_rows_ = round_up(std::clamp(kPackedBytes / (format.dim * sizeof(float)), tile, kMaxRows), tile);
      query_panels_ = pack_queries(format, queries);
    } else {
      block_rows_ = std::clamp<std::size_t>(kScanBytes / rows.stride(), 1, kMaxRows);
    }
    const std::size_t query_tile = distance::blocks().query_tile;
    const std::size_t chunk = std::max<std::size_t>(1, kUnitProducts / (block_rows_ * format.dim));
    chunk_queries_ = std::min(round_up(chunk, query_tile), round_up(queries.count, query_tile));
    chunks_ = (queries.count + chunk_queries_ - 1) / chunk_queries_;
    make_margins(norms);
  }

  void run(const Progress& progress) {
    const std::size_t blocks = (rows_.size() + block_rows_ - 1) / block_rows_;
    const std::size_t units = blocks * chunks_;
    const std::size_t products = block_rows_ * rows_.format().dim * std::min(chunk_queries_, queries_.count);
    const std::size_t grain = std::max<std::size_t>(1, kPieceProducts / products);
    prepare_workers(core::worker_count(units, grain, request_.threads));
    core::parallel_for(units, grain, request_.threads, progress,
                       [this](std::size_t begin, std::size_t end, std::size_t worker) {
                         for (std::size_t unit = begin; unit < end; ++unit) run_unit(unit, workers_[worker]);
                       });
  }

  // Writes the results of a query; of all workers' shortlists one is made.
  void finish(std::size_t query, std::int64_t* ids, float* distances) {
    Shortlist& shortlist = workers_[0].shortlists[query];
    for (std::size_t w = 1; w < workers_.size(); ++w) shortlist.merge(workers_[w].shortlists[query]);
    shortlist.prune();
    std::vector<Score> found;
    found.reserve(shortlist.candidates().size());
    for (const Shortlist::Candidate& candidate : shortlist.candidates()) found.push_back(score(query, candidate.slot));
    const std::size_t count = std::min(request_.k, found.size());
    std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(count), found.end());
    for (std::size_t i = 0; i < count; ++i) {
      ids[i] = found[i].second;
      distances[i] = static_cast<float>(found[i].first);
    }
    std::fill(ids + count, ids + request_.k, std::int64_t{-1});
    std::fill(distances + count, distances + request_.k, std::numeric_limits<float>::infinity());
  }

 private:
  struct Worker {
    std::vector<Shortlist> shortlists;  // one for each query
    std::vector<float> values;
    std::unique_ptr<RowPanels> panels;
  };

  void make_margins(const NormRange& norms) {
    margins_.reserve(queries_.count);
    for (std::size_t q = 0; q < queries_.count; ++q) {
      const double norm = query_norm(rows_.format(), queries_[q]);
      margins_.push_back(packed_ ? product_margin(rows_.format(), norm, norms)
                                 : kernel_margin(rows_.format(), norm, norms));
    }
  }

  void prepare_workers(std::size_t count) {
    workers_.resize(count);
    const std::size_t k = std::min(request_.k, rows_.size());
    for (Worker& worker : workers_) {
      worker.shortlists.reserve(queries_.count);
      for (const Margin& margin : margins_) worker.shortlists.emplace_back(k, margin);
      worker.values.resize(packed_ ? round_up(kTileQueries, distance::blocks().query_tile) * block_rows_ : block_rows_);
      if (packed_) worker.panels = std::make_unique<RowPanels>(rows_, block_rows_);
    }
  }

  void run_unit(std::size_t unit, Worker& worker) {
    const std::size_t first_row = unit / chunks_ * block_rows_;
    const std::size_t count = std::min(block_rows_, rows_.size() - first_row);
    const std::size_t first_query = unit % chunks_ * chunk_queries_;
    const std::size_t end_query = std::min(first_query + chunk_queries_, queries_.count);
    if (packed_) {
      multiply(first_row, count, first_query, end_query, worker);
    } else {
      for (std::size_t q = first_query; q < end_query; ++q) scan(first_row, count, q, q == first_query, worker);
    }
  }

  void multiply(std::size_t first_row, std::size_t count, std::size_t first_query, std::size_t end_query,
                Worker& worker) {
    const distance::BlockTable& table = distance::blocks();
    RowPanels& panels = *worker.panels;
    if (panels.count() == 0 || panels.first() != first_row) panels.pack(first_row, count);
    const std::size_t dim = rows_.format().dim;
    const std::size_t step = round_up(kTileQueries, table.query_tile);
    const float* const packed = reinterpret_cast<const float*>(query_panels_.data());
    for (std::size_t q = first_query; q < end_query; q += step) {
      const std::size_t some = std::min(step, end_query - q);
      table.dot(packed + q * dim, distance::panel_count(some, table.query_tile), panels.panels(), panels.panel_count(),
                dim, worker.values.data(), block_rows_);
      for (std::size_t i = 0; i < some; ++i) {
        const float* const products = worker.values.data() + i * block_rows_;
        const float* const low = panels.low();
        const float* const high = panels.high();
        sift(
            q + i, first_row, count, [=](std::size_t r) { return low[r] - products[r]; },
            [=](std::size_t r) { return high[r] - products[r]; }, worker.shortlists[q + i]);
      }
    }
  }

  // The first query brings the rows into the cache, which goes faster row by row.
  void scan(std::size_t first_row, std::size_t count, std::size_t query, bool is_first, Worker& worker) {
    static const std::array<std::uint32_t, kMaxRows> offsets = [] {
      std::array<std::uint32_t, kMaxRows> all;
      std::iota(all.begin(), all.end(), std::uint32_t{0});
      return all;
    }();
    const std::size_t dim = rows_.format().dim;
    float* const values = worker.values.data();
    if (is_first && rows_.rows().size() > kCachedBytes) {
      for (std::size_t i = 0; i < count; ++i) values[i] = kernel_.one(queries_[query], rows_.row(first_row + i), dim);
    } else {
      kernel_.many(queries_[query], rows_.row(first_row), rows_.stride(), offsets.data(), count, dim, values);
    }
    const auto value = [values](std::size_t i) { return values[i]; };
    sift(query, first_row, count, value, value, worker.shortlists[query]);
  }

  // Puts the rows first, first + 1, ... that their bounds do not rule out on the query's shortlist.
  template <typename Low, typename High>
  void sift(std::size_t query, std::size_t first, std::size_t count, Low&& low, High&& high, Shortlist& shortlist) {
    constexpr std::size_t kStep = 16;
    float limit = shortlist.limit();
    for (std::size_t begin = 0; begin < count; begin += kStep) {
      const std::size_t end = std::min(begin + kStep, count);
      if (end - begin == kStep) {
        int wanted = 0;
        for (std::size_t i = 0; i < kStep; ++i) wanted |= !(low(begin + i) > limit);
        if (wanted == 0) continue;
      }
      for (std::size_t i = begin; i < end; ++i) {
        const std::uint32_t slot = static_cast<std::uint32_t>(first + i);
        if (low(i) > limit || (request_.excluded != nullptr && request_.excluded[query] == slot)) continue;
        if (id_map_.id(slot) == kNoId) continue;
        shortlist.add({low(i), high(i), slot}, [&](std::uint32_t s) { return score(query, s); });
        limit = shortlist.limit();
      }
    }
  }

  Score score(std::size_t query, std::uint32_t slot) const {
    return {distance_(queries_[query], rows_.row(slot), rows_.format().dim), id_map_.id(slot)};
  }

  const vectors::Matrix& rows_;
  const IdMap& id_map_;
  const Queries& queries_;
  const Request& request_;
  const distance::Kernel kernel_;
  const DistanceFn distance_;
  const bool packed_;
  std::size_t block_rows_ = 0;
  std::size_t chunk_queries_ = 0;
  std::size_t chunks_ = 0;
  core::Buffer query_panels_;
  std::vector<Margin> margins_;
  std::vector<Worker> workers_;
};

std::size_t group_size(const vectors::RowFormat& format, std::size_t k, std::size_t threads) {
  const std::size_t workers = core::worker_count(SIZE_MAX, 1, threads);
  const std::size_t shortlist = sizeof(Shortlist) + Shortlist::capacity(k) * sizeof(Shortlist::Candidate);
  return std::max<std::size_t>(1, kGroupBytes / (format.dim * sizeof(float) + workers * shortlist));
}

}  // namespace

void Searcher::search(const Queries& queries, const IdMap& id_map, const Request& request, std::int64_t* ids,
                      float* distances) const {
  const NormRange range = norms();
  const std::size_t group =
      std::min(queries.count, group_size(rows_.format(), std::min(request.k, rows_.size()), request.threads));
  for (std::size_t first = 0; first < queries.count; first += group) {
    const std::size_t count = std::min(group, queries.count - first);
    const Queries part{queries[first], queries.stride, count};
    Request some = request;
    if (some.excluded != nullptr) some.excluded += first;
    // Of the time only the scan counts; while results are put in order, progress stands still but can cancel.
    const auto report = [&](double share) {
      request.progress(first + static_cast<std::size_t>(share * static_cast<double>(count)), queries.count);
    };
    Progress scanning, ordering;
    if (request.progress) {
      scanning = [&](std::size_t done, std::size_t total) { report(static_cast<double>(done) / total); };
      ordering = [&](std::size_t, std::size_t) { report(1.0); };
    }
    Pass pass(rows_, id_map, part, range, some);
    pass.run(scanning);
    const std::size_t grain = std::clamp<std::size_t>(4096 / std::max<std::size_t>(1, request.k), 1, 64);
    core::parallel_for(count, grain, request.threads, ordering, [&](std::size_t begin, std::size_t end, std::size_t) {
      for (std::size_t q = begin; q < end; ++q) {
        pass.finish(q, ids + (first + q) * request.k, distances + (first + q) * request.k);
      }
    });
  }
}

// Only ip and cosine bound their errors with the norms of the rows.
NormRange Searcher::norms() const {
  const Metric metric = rows_.format().metric;
  if (metric != Metric::kIp && metric != Metric::kCosine) return {};
  const std::lock_guard<std::mutex> lock(mutex_);
  if (measured_ < rows_.size()) {
    const NormRange more = norm_range(rows_, measured_, rows_.size());
    norms_ = measured_ == 0
                 ? more
                 : NormRange{std::min(norms_.smallest, more.smallest), std::max(norms_.largest, more.largest)};
    measured_ = rows_.size();
  }
  return norms_;
}

void Searcher::note_changed(const std::vector<std::uint32_t>& slots) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const std::uint32_t slot : slots) {
    if (slot >= measured_) return;
    const NormRange one = norm_range(rows_, slot, std::size_t{slot} + 1);
    norms_ = {std::min(norms_.smallest, one.smallest), std::max(norms_.largest, one.largest)};
  }
}

void Searcher::note_dropped() {
  const std::lock_guard<std::mutex> lock(mutex_);
  measured_ = 0;
}

}  // namespace hopspan::index::exact
