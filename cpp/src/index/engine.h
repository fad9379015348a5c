// The part of an index that its kind decides: how the nearest rows are found. Rows and ids belong to the facade, which
// also keeps changes apart from everything else; an engine's const methods may run side by side.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hopspan/index.h"
#include "storage/container.h"

namespace hopspan::index {

class Engine {
 public:
  Engine() = default;
  virtual ~Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Takes in the rows that were appended since the last call. When it throws, the engine is as it was.
  virtual void insert(const AddOptions& options) = 0;

  // As Index::search, with options and queries already found good; ids and distances are of the request's shape.
  virtual void search(const MatrixView& queries, const SearchOptions& options, std::int64_t* ids,
                      float* distances) const = 0;

  // As Index::tune; the index holds at least one vector.
  virtual std::vector<TunePoint> tune(const MatrixView& queries, const TuneOptions& options) = 0;

  virtual void save(storage::ContainerWriter& writer) const = 0;
  // Once, on a new engine over rows and ids that have been loaded. Throws CorruptIndexError unless sizes agree.
  virtual void load(const storage::ContainerReader& reader, bool verify) = 0;

  // Adds what it knows to the statistics.
  virtual void describe(Stats& stats) const = 0;
  // Throws CorruptIndexError at the first thing that is wrong.
  virtual void check(bool deep, CheckReport& report) const = 0;
};

}  // namespace hopspan::index
