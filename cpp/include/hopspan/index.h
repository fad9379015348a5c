// The library's front door: an index of vectors under external 64-bit ids.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hopspan/error.h"
#include "hopspan/export.h"
#include "hopspan/matrix_view.h"
#include "hopspan/options.h"

namespace hopspan {

// What all searches of an index on disk have read since it was opened.
struct ReadStats {
  std::uint64_t searches = 0;
  std::uint64_t lists = 0;
  std::uint64_t vectors = 0;     // that were compared again
  std::uint64_t list_pages = 0;  // of 4096 bytes
  std::uint64_t pages = 0;       // the same and those of vectors
  std::uint64_t bytes = 0;
  std::uint64_t round_trips = 0;   // batches of reads, one after the other
  std::uint64_t waiting_us = 0;    // for them, without work that could be done
  std::uint64_t computing_us = 0;  // all else that searches did
  std::string backend;             // "io_uring" or "threads"
};

// What all searches of a graph have done since it was made or loaded.
struct WalkStats {
  std::uint64_t searches = 0;
  std::uint64_t expansions = 0;  // nodes whose links were followed
  std::uint64_t distances = 0;   // on codes, where there are any
  std::uint64_t ranked = 0;      // vectors compared once more by themselves
  std::uint64_t lines = 0;       // of 64 bytes, that these are made of
};

// The folder of a DurableIndex.
struct LogStats {
  std::uint64_t generation = 0;
  std::uint64_t snapshot_bytes = 0;
  std::uint64_t log_bytes = 0;
  std::uint64_t syncs = 0;       // of logs, since opening
  std::string compaction_error;  // why the latest attempt to write a snapshot failed; empty when it did not
};

struct Stats {
  std::size_t size = 0;
  std::size_t removed = 0;  // slots whose vectors were removed and that wait to be used again
  std::size_t pending = 0;  // vectors that the graph does not hold yet: searches compare each; of a DurableIndex
  std::vector<std::pair<std::string, std::size_t>> bytes;  // per part, in memory or mapped
  std::vector<std::size_t> level_sizes;                    // nodes on level 0, 1, ...; hnsw only
  double mean_degree = 0.0;                                // links a node on level 0; hnsw only
  std::size_t max_degree = 0;
  CodeKind codes = CodeKind::kNone;     // what the graph is walked on; hnsw only
  std::vector<std::size_t> list_sizes;  // entries of each list; spann only
  std::size_t copies = 0;               // entries of all lists; spann only
  bool mapped = false;
  std::optional<WalkStats> walks;  // hnsw only
  std::optional<ReadStats> reads;  // of an index on disk
  std::optional<LogStats> log;     // of a DurableIndex
};

struct CheckReport {
  std::size_t vectors = 0;
  std::size_t links = 0;      // of level 0 and above; of spann, the entries of all lists
  std::size_t reachable = 0;  // vectors that a walk from the entry point meets on level 0, or that are pending
};

struct TunePoint {
  double recall;
  std::size_t effort;  // ef or nprobe
  double qps;          // queries per second with the given threads
  // What recall lacks, of a graph: because a walk of the vectors themselves would not have found it either, and because
  // codes stood for them.
  double graph_loss = 0.0;
  double code_loss = 0.0;
};

// Searches may run at the same time as each other from any number of threads and, of kind kHnsw, beside a call that
// changes the index; such calls are made one at a time.
class HOPSPAN_API Index {
 public:
  explicit Index(const IndexOptions& options);
  Index(Index&&) noexcept;
  Index& operator=(Index&&) noexcept;
  ~Index();

  static Index load(const std::filesystem::path& path, const LoadOptions& options = {});
  static Index from_bytes(const void* data, std::size_t size);
  void save(const std::filesystem::path& path) const;
  std::vector<std::byte> to_bytes() const;

  // vectors: float32 or the stored dtype. ids: one for each row, >= 0 and distinct; null gives the next free ones. A
  // vector whose id is known replaces the one there. Either every row is added or, when it throws, none.
  std::vector<std::int64_t> add(const MatrixView& vectors, const std::int64_t* ids = nullptr,
                                const AddOptions& options = {});

  // Returns how many there were: unknown ids, and an id when it is given again, do not count. Throws InvalidArgument
  // for a negative id, and then nothing is removed. An id that was given once is not given again on its own.
  std::size_t remove(const std::int64_t* ids, std::size_t count, const AddOptions& options = {});

  // ids and distances: rows x k, nearest first, ties by id; missing results are id -1 at distance infinity.
  void search(const MatrixView& queries, const SearchOptions& options, std::int64_t* ids, float* distances) const;

  // out: `count` rows of row_bytes() each, in the stored dtype. Throws InvalidArgument for an unknown id.
  void get(const std::int64_t* ids, std::size_t count, void* out) const;
  bool contains(std::int64_t id) const;

  std::size_t size() const noexcept;  // as the last change left it; does not wait for one that runs
  std::size_t row_bytes() const noexcept;
  const IndexOptions& options() const noexcept;

  Stats stats() const;
  // Throws CorruptIndexError at the first thing that is wrong. deep: also proves that every vector can be reached.
  CheckReport check(bool deep = true) const;
  // Measures recall and speed over a range of efforts on `queries` (null data: on held-out stored vectors) and keeps
  // the calibration that search(recall=...) uses.
  std::vector<TunePoint> tune(const MatrixView& queries, const TuneOptions& options = {});

 protected:
  class Impl;
  explicit Index(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hopspan
