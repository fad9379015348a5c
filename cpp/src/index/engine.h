// The part of an index that its kind decides: how the nearest rows are found. Rows and ids belong to the facade, which
// also keeps changes apart from everything else; an engine's const methods may run side by side.
//
// A slot without an id is never found. It is new (its row is there, its id comes once the engine has taken it in), or
// its vector was removed; the engine may go on using such a row as a waypoint until it releases the slot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hopspan/index.h"
#include "index/slots.h"
#include "storage/container.h"

namespace hopspan::index {

class Engine {
 public:
  Engine() = default;
  virtual ~Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Called when the rows have changed their format, in which nothing but `bytes` is another.
  virtual void reformat() noexcept {}

  // Takes in rows that are new: appended, or in slots that were released. leaving: slots whose vectors they replace,
  // which lose their ids next. Both ascend. Nothing is pending. When it throws, the engine is as it was.
  virtual void insert(const Slots& added, const Slots& leaving, const AddOptions& options) = 0;

  // As insert, but the engine may leave the rows pending: until link() takes them in, a search compares each of them.
  virtual void defer(const Slots& added, const Slots& leaving, const AddOptions& options) {
    insert(added, leaving, options);
  }
  // How many rows are pending.
  virtual std::size_t pending() const noexcept { return 0; }
  // Takes in the first `count` of them. When it throws, the engine is as it was.
  virtual void link(std::size_t, const AddOptions&) {}

  // Called after slots have lost their ids. Returns those that may be used again, these or others that lost theirs
  // earlier; ascending. When it throws, the engine is as it was.
  virtual Slots release(const Slots& removed, const AddOptions&) { return removed; }
  // The slots that release has returned and insert has not been given since. Once, after load.
  virtual Slots released() const { return {}; }
  // Drops the slots that are not kept, all of which were released; ids and rows follow. When it throws, the engine is
  // as it was.
  virtual void keep(const Slots&) {}

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
