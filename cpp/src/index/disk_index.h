// An index of kind "spann" that stays in its file: heads, ids and the pages' directory are in memory, lists
// and vectors are read as searches need them. It never changes, but for its calibration.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <vector>

#include "core/buffer.h"
#include "core/spares.h"
#include "distance/kernels.h"
#include "index/body.h"
#include "index/list_calibration.h"
#include "index/list_sections.h"
#include "index/meta.h"
#include "index/row_ids.h"
#include "index/sample.h"
#include "spann/clustering/coded_heads.h"
#include "spann/lists/grid_coder.h"
#include "spann/reader/paged_source.h"
#include "spann/search.h"
#include "storage/container.h"
#include "vectors/matrix.h"

namespace hopspan::index {

class DiskIndex final : public Body {
 public:
  // Whether a container holds such an index, or one of an earlier version.
  static bool is_in(const storage::ContainerReader& reader) {
    return reader.has(spann::pages::kLists.pages) || has_earlier_lists(reader);
  }

  // verify: checks every byte of the file first. cache_bytes: of pages that are kept in memory.
  DiskIndex(std::shared_ptr<const storage::RandomAccessFile> file, bool verify, std::size_t cache_bytes);

  void save(storage::Env& env, const std::filesystem::path& path) const override;
  std::vector<std::byte> to_bytes() const override;
  std::vector<std::int64_t> add(const MatrixView& vectors, const std::int64_t* ids, const AddOptions& options) override;
  std::size_t remove(const std::int64_t* ids, std::size_t count, const AddOptions& options) override;
  void search(const MatrixView& queries, const SearchOptions& options, std::int64_t* ids,
              float* distances) const override;
  void get(const std::int64_t* ids, std::size_t count, void* out) const override;
  bool contains(std::int64_t id) const override { return ids_.find(id).has_value(); }
  std::size_t size() const noexcept override { return meta_.size; }
  std::size_t row_bytes() const noexcept override { return format_.element_bytes(); }
  const IndexOptions& options() const noexcept override { return meta_.options; }
  Stats stats() const override;
  CheckReport check(bool deep) const override;
  std::vector<TunePoint> tune(const MatrixView& queries, const TuneOptions& options) override;

  // Measured on vectors of its own; empty for an index so small that it is searched with full effort.
  ListCalibration calibrate(std::size_t threads, const Progress& progress) const;

 private:
  // What one thread needs for its searches.
  struct Worker {
    core::Buffer prepared;
    std::vector<float> query;
    std::vector<spann::Nearest> heads;
    spann::CodedHeads::Work probing;
    spann::SearchScratch scratch;
    std::vector<spann::Found> found;
  };

  // How much a search does.
  struct Plan {
    std::size_t k;
    ListEffort effort;
  };

  // Sums over all searches.
  struct Counters {
    std::atomic<std::uint64_t> searches{0};
    std::atomic<std::uint64_t> lists{0};
    std::atomic<std::uint64_t> vectors{0};
    std::atomic<std::uint64_t> list_pages{0};
    std::atomic<std::uint64_t> pages{0};
    std::atomic<std::uint64_t> bytes{0};
    std::atomic<std::uint64_t> round_trips{0};
    std::atomic<std::uint64_t> waiting_ns{0};
    std::atomic<std::uint64_t> all_ns{0};
  };

  DiskIndex(const std::shared_ptr<const storage::ContainerReader>& reader, std::size_t cache_bytes);

  Plan plan(const SearchOptions& options) const;
  Plan plan(std::size_t k, ListEffort effort) const;
  // What makes a distance as CodedHeads::probe has it one that is never negative, under l2 and cosine.
  float distance_offset(const float* query) const;
  void find_heads(const std::byte* prepared, std::size_t count, Worker& worker) const;
  // Results are in worker.found; returns how many.
  std::size_t search_one(const std::byte* prepared, const Plan& plan, Worker& worker) const;
  void count(const spann::FetchCost& lists, const spann::FetchCost& rows, std::uint64_t nanoseconds) const;
  void read_rows(std::size_t first, std::size_t count, vectors::Matrix& out) const;
  Sample held_out_sample(std::size_t count, std::vector<std::uint32_t>& slots) const;
  struct Surveyed;
  struct SurveyedTogether;
  SurveyedTogether survey_some(const Sample& sample, const std::uint32_t* excluded, std::size_t begin, std::size_t end,
                               std::size_t most) const;
  Surveyed survey(const Sample& sample, const std::uint32_t* excluded, const std::vector<std::uint32_t>& ks,
                  std::size_t threads, const Progress& progress) const;
  std::size_t check_lists() const;
  void check_rows() const;

  std::shared_ptr<const storage::ContainerReader> reader_;
  const Meta meta_;
  const vectors::RowFormat format_;
  distance::OneFn distance_;
  RowIds ids_;
  spann::GridCoder coder_;
  spann::reader::PagedLists lists_;
  spann::reader::PagedRows rows_;
  spann::CodedHeads heads_;
  std::shared_ptr<const ListCalibration> calibration_;  // null for an index so small that all of it is searched
  mutable std::shared_mutex calibration_mutex_;
  mutable core::Spares<Worker> spares_;
  mutable Counters counters_;
};

}  // namespace hopspan::index
