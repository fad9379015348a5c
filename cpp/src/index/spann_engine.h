// The engine of kind "spann" in memory: balanced lists of codes, and the stored rows to compare candidates again.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "core/spares.h"
#include "hnsw/search.h"
#include "hnsw/space.h"
#include "index/calibration.h"
#include "index/engine.h"
#include "index/id_map.h"
#include "index/measure.h"
#include "index/sample.h"
#include "spann/build.h"
#include "spann/search.h"
#include "vectors/matrix.h"

namespace hopspan::index {

// Effort, in the sense of a calibration, is twice the number of lists probed.
class SpannEngine : public Engine {
 public:
  SpannEngine(const IndexOptions& options, const vectors::Matrix& rows, const IdMap& id_map);

  void insert(const Slots& added, const Slots& leaving, const AddOptions& options) override;
  void search(const MatrixView& queries, const SearchOptions& options, std::int64_t* ids,
              float* distances) const override;
  std::vector<TunePoint> tune(const MatrixView& queries, const TuneOptions& options) override;
  void save(storage::ContainerWriter& writer) const override;
  void load(const storage::ContainerReader& reader, bool verify) override;
  void describe(Stats& stats) const override;
  void check(bool deep, CheckReport& report) const override;

 private:
  static constexpr std::size_t kQueriesAtOnce = 32;

  // What one thread needs for its searches.
  struct Worker {
    core::Buffer prepared;       // queries as kernels take them
    std::vector<float> queries;  // and as codes take them
    std::vector<spann::Nearest> heads;
    spann::Centers::Work centers;
    spann::SearchScratch scratch;
    std::vector<spann::Found> found;
  };

  // How much one search does.
  struct Effort {
    std::size_t k;
    std::size_t probes;
    std::size_t candidates;
  };

  Effort effort_of(std::size_t k, std::size_t effort) const;
  Effort effort(const SearchOptions& options) const;
  // Searches for `count` prepared queries; the results of each are `effort.k` apart in worker.found.
  void search_some(const std::byte* prepared, std::size_t stride, std::size_t count, const std::uint32_t* excluded,
                   const Effort& effort, Worker& worker, std::size_t* found) const;
  void give(const Worker& worker, std::size_t query, std::size_t count, std::size_t k, std::int64_t* ids,
            float* distances) const;
  std::vector<Measurement> measure_sample(const Sample& sample, const MeasureOptions& options) const;
  Calibration calibrate_held_out(const AddOptions& options) const;
  std::size_t count_entries(const spann::Lists& lists) const;
  void build_anew(const AddOptions& options);
  void grow(const AddOptions& options);

  struct State {
    spann::Lists lists;
    std::unique_ptr<spann::RankedHeads> heads;
    std::size_t size = 0;        // vectors in the lists
    std::size_t built_size = 0;  // when all lists were made
    std::size_t copies = 0;      // entries of all lists
    Calibration calibration;
  };

  const IndexOptions& options_;
  const vectors::Matrix& rows_;
  const IdMap& id_map_;
  hnsw::Space space_;
  State state_;
  bool validated_ = true;
  mutable core::Spares<Worker> spares_;
};

}  // namespace hopspan::index
