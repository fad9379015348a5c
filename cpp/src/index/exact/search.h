// Exact nearest neighbours. A scan in float32 with bounded error leaves a shortlist, which double precision orders: the
// results are those of brute force in double precision, ties by id, whatever the number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "hopspan/options.h"
#include "index/exact/margin.h"
#include "index/exact/panels.h"
#include "index/id_map.h"
#include "vectors/matrix.h"

namespace hopspan::index::exact {

struct Request {
  std::size_t k = 0;
  const std::uint32_t* excluded = nullptr;  // for each query a slot that counts as absent, or null
  std::size_t threads = 0;
  Progress progress;
};

class Searcher {
 public:
  explicit Searcher(const vectors::Matrix& rows) : rows_(rows) {}

  // ids and distances: k for each query, nearest first; -1 and infinity where there are fewer rows with an id.
  void search(const Queries& queries, const IdMap& id_map, const Request& request, std::int64_t* ids,
              float* distances) const;

  // To be told of rows that have changed and of rows that were dropped.
  void note_changed(const std::vector<std::uint32_t>& slots);
  void note_dropped();

 private:
  NormRange norms() const;

  const vectors::Matrix& rows_;
  mutable std::mutex mutex_;
  mutable NormRange norms_{};  // of the first measured_ rows
  mutable std::size_t measured_ = 0;
};

}  // namespace hopspan::index::exact
