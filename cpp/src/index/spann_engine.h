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
#include "spann/clustering/centers.h"
#include "spann/search.h"
#include "spann/update/places.h"
#include "vectors/matrix.h"

namespace hopspan::index {

// Effort, in the sense of a calibration, is twice the number of lists probed.
class SpannEngine : public Engine {
 public:
  SpannEngine(const IndexOptions& options, const vectors::Matrix& rows, const IdMap& id_map);

  void insert(const Slots& added, const Slots& leaving, const AddOptions& options) override;
  Slots release(const Slots& removed, const AddOptions& options) override;
  Slots released() const override { return id_map_.holes(); }
  void keep(const Slots& kept) override;
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
  std::vector<Measurement> measure_sample(const Sample& sample, const MeasureOptions& options,
                                          const Slots& holes) const;
  Calibration calibrate_held_out(const AddOptions& options, const Slots& holes) const;
  std::size_t count_entries(const spann::Lists& lists) const;
  std::unique_ptr<spann::RankedHeads> rank(const std::vector<float>& heads) const;
  void validate_once(const Slots& removed);
  void build_anew(const Slots& slots, const AddOptions& options);
  void update(const Slots& removed, const Slots& added, std::size_t living, const AddOptions& options);

  struct State {
    spann::Lists lists;
    std::unique_ptr<spann::RankedHeads> heads;
    std::size_t size = 0;        // vectors in the lists
    std::size_t built_size = 0;  // when all lists were made
    std::size_t copies = 0;      // entries of all lists
    std::uint64_t moved = 0;     // heads that have come, gone or moved since
    Calibration calibration;
  };

  // What changes of lists need, made for the first of them.
  struct Ledger {
    spann::Places places;
    std::unique_ptr<const spann::Centers> centers;  // the heads
  };

  const IndexOptions& options_;
  const vectors::Matrix& rows_;
  const IdMap& id_map_;
  hnsw::Space space_;
  State state_;
  std::unique_ptr<Ledger> ledger_;
  Slots gone_;  // that have left the lists and have not been released
  bool validated_ = true;
  mutable core::Spares<Worker> spares_;
};

}  // namespace hopspan::index
