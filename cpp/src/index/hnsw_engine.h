// The engine that walks a graph. It keeps the calibration that turns recall targets into efforts.
#pragma once

#include <memory>
#include <vector>

#include "core/buffer.h"
#include "core/fair_mutex.h"
#include "core/function_ref.h"
#include "core/spares.h"
#include "hnsw/graph.h"
#include "hnsw/search.h"
#include "hnsw/space.h"
#include "index/calibration.h"
#include "index/early_stops.h"
#include "index/engine.h"
#include "index/id_map.h"
#include "index/measure.h"
#include "index/traversal.h"

namespace hopspan::index {

class HnswEngine final : public Engine {
 public:
  // mutex: held by whoever calls insert, release or tune; free while these change nothing that a search sees.
  HnswEngine(const IndexOptions& options, const vectors::Matrix& rows, const IdMap& id_map, core::FairMutex& mutex);

  void reformat() noexcept override;
  void insert(const Slots& added, const Slots& leaving, const AddOptions& options) override;
  void defer(const Slots& added, const Slots& leaving, const AddOptions& options) override;
  std::size_t pending() const noexcept override { return pending_.size(); }
  void link(std::size_t count, const AddOptions& options) override;
  Slots release(const Slots& removed, const AddOptions& options) override;
  Slots released() const override;
  void keep(const Slots& kept) override;
  void search(const MatrixView& queries, const SearchOptions& options, std::int64_t* ids,
              float* distances) const override;
  std::vector<TunePoint> tune(const MatrixView& queries, const TuneOptions& options) override;
  void save(storage::ContainerWriter& writer) const override;
  void load(const storage::ContainerReader& reader, bool verify) override;
  void describe(Stats& stats) const override;
  void check(bool deep, CheckReport& report) const override;

 private:
  // What one thread needs for its searches.
  struct Worker {
    core::Buffer query;
    core::Buffer code_query;
    core::Buffer row;  // read from disk
    hnsw::Scratch scratch;
    std::vector<hnsw::Neighbor> candidates;
    std::vector<hnsw::Neighbor> found;
    std::uint64_t ranked = 0;
    WalkStats walks;  // of calls of search; lines are not counted
  };

  // A query as the walk takes it.
  struct Asked {
    const hnsw::Space& space;
    const void* query;
  };

  // What recall is measured on when slots are added.
  struct Rehearsal {
    std::size_t added;  // how many slots
    Sample sample;
    Slots holes;  // do not count
    Slots late;   // join after it: of the added slots those that the sample is, unless it is of slots in the graph
  };

  // From queries whose neighbours are known.
  struct Learnt {
    Calibration calibration;
    EarlyStops stops;
  };

  // What a search may find.
  struct Scope {
    const Slots& pending;  // compared beside the slots of the graph
    std::size_t living;
    core::FunctionRef<bool(std::uint32_t slot)> alive;
  };

  void validate_once();
  void join(const Slots& slots, const Slots& leaving, std::size_t living, const AddOptions& options);
  std::size_t rows_up_to(const Slots& slots) const;
  bool should_learn_codes(std::size_t rows) const;
  void learn_codes(std::size_t rows, const AddOptions& options, core::FunctionRef<void()> then);
  void encode(const Slots& added, const AddOptions& options, core::FunctionRef<void()> then);
  std::unique_ptr<Traversal> codes_to_link_by(std::size_t rows, const AddOptions& options);
  bool in_graph(std::uint32_t slot) const;
  std::size_t least_graph() const;
  Slots sweep(std::size_t waypoints, const AddOptions& options);
  hnsw::Graph rebuild(const AddOptions& options) const;
  std::size_t effort(const SearchOptions& options) const;
  const hnsw::Space& linked_by() const { return traversal_ == nullptr ? among_ : traversal_->space(); }
  void measure_exactly(const void* query, hnsw::Neighbor* candidates, std::size_t count, Worker& worker) const;
  void rank(const void* query, std::size_t k, hnsw::Neighbor* candidates, std::size_t count, Worker& worker) const;
  std::size_t find(const void* query, std::size_t k, const hnsw::Effort& effort, Worker& worker, hnsw::Neighbor* out,
                   std::uint32_t excluded, const Scope& scope) const;
  Asked asked(const void* query, Worker& worker) const;
  std::size_t spare(std::size_t k) const;
  std::size_t collect(const Asked& asked, std::size_t k, const hnsw::Effort& effort, Worker& worker,
                      std::uint32_t excluded, const Scope& scope) const;
  std::size_t walk(const Asked& asked, std::size_t k, const hnsw::Effort& effort, Worker& worker,
                   std::uint32_t excluded, const Slots& pending) const;
  std::size_t walk_on(const Asked& asked, std::size_t k, hnsw::Effort effort, Worker& worker, std::uint32_t excluded,
                      const Scope& scope) const;
  WalkStats walks() const;
  void search_one(const MatrixView& queries, std::size_t row, std::size_t k, std::size_t ef, Worker& worker,
                  std::int64_t* ids, float* distances) const;
  std::vector<Measurement> measure_sample(const Sample& sample, const EarlyStops& stops, const MeasureOptions& options,
                                          const Slots& holes, bool by_rows = false) const;
  Rehearsal rehearsal(const Slots& added, const Slots& leaving) const;
  EarlyStops learn_stops(const Sample& sample, std::size_t threads, bool by_rows = false) const;
  Learnt learn(const Rehearsal& rehearsal, std::size_t size, const AddOptions& options) const;

  const IndexOptions& options_;
  const vectors::Matrix& rows_;
  const IdMap& id_map_;
  core::FairMutex& mutex_;
  hnsw::Space exact_;
  hnsw::Space among_;
  std::unique_ptr<Traversal> traversal_;  // null where the rows themselves are walked
  hnsw::Graph graph_;
  std::size_t linked_ = 0;  // slots in the graph: those with an id, and removed ones that searches walk through
  Slots pending_;           // with an id, but no links yet, or being linked; the last of them may be beyond the graph
  Learnt learnt_;
  bool validated_ = true;  // insertion follows links unchecked, so a graph loaded unverified is validated before it
  mutable core::Spares<Worker> spares_;
};

}  // namespace hopspan::index
