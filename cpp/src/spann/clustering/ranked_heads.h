// The heads of lists as searches rank them: by the distance of Centers::probe, under cosine after the heads have been
// brought to unit length. A head that lies in the midst of many directions is short, which says how its vectors spread
// and not that they are far.
#pragma once

#include <cstddef>
#include <vector>

#include "hopspan/options.h"
#include "spann/clustering/centers.h"

namespace hopspan::spann {

class RankedHeads {
 public:
  RankedHeads(const float* heads, std::size_t count, std::size_t dim, Metric metric);

  std::size_t count() const noexcept { return centers_.count(); }

  // As Centers::probe and Centers::probe_all.
  void probe(const float* queries, std::size_t count, std::size_t most, Centers::Work& work, Nearest* out) const {
    centers_.probe(queries, count, metric_, most, work, out);
  }
  void probe_all(const float* query, Centers::Work& work, Nearest* out) const {
    centers_.probe_all(query, metric_, work, out);
  }

  // The distance of the head itself, which that of its list's vectors is made of.
  float distance(const Nearest& ranked) const {
    return lengths_.empty() ? ranked.distance : ranked.distance * lengths_[ranked.center];
  }

 private:
  Metric metric_;
  std::vector<float> lengths_;  // under cosine
  Centers centers_;
};

}  // namespace hopspan::spann
