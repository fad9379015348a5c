// The heads of lists as searches rank them: by the distance of Centers::probe, under cosine after the heads have been
// brought to unit length. A head that lies in the midst of many directions is short, which says how its vectors spread
// and not that they are far.
#pragma once

#include <cstddef>
#include <vector>

#include "hopspan/options.h"
#include "spann/clustering/centers.h"

namespace hopspan::spann {

// Of heads that are ranked by the angle, in the order of their numbers; none where they are ranked by the distance.
class HeadLengths {
 public:
  void push_back(float length) { lengths_.push_back(length); }
  bool empty() const noexcept { return lengths_.empty(); }
  float operator[](std::size_t head) const noexcept { return lengths_[head]; }
  std::size_t bytes() const noexcept { return lengths_.capacity() * sizeof(float); }

  // The distance of the head itself, which that of its list's vectors is made of.
  float distance(const Nearest& ranked) const {
    return lengths_.empty() ? ranked.distance : ranked.distance * lengths_[ranked.center];
  }

 private:
  std::vector<float> lengths_;
};

class RankedHeads {
 public:
  RankedHeads(const float* heads, std::size_t count, std::size_t dim, Metric metric);

  std::size_t count() const noexcept { return centers_.count(); }

  // As Centers::probe.
  void probe(const float* queries, std::size_t count, std::size_t most, Centers::Work& work, Nearest* out) const {
    centers_.probe(queries, count, metric_, most, work, out);
  }

  const HeadLengths& lengths() const noexcept { return lengths_; }

 private:
  Metric metric_;
  HeadLengths lengths_;
  Centers centers_;
};

}  // namespace hopspan::spann
