// Vectors join lists and leave them, and the lists keep their sizes (LIRE of SPFresh, SOSP 2023): one that has become
// too long is cut, one that has become short is closed, and vectors to which this brings a nearer head move there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "distance/kernels.h"
#include "hopspan/options.h"
#include "spann/assign/copies.h"
#include "spann/assign/replicas.h"
#include "spann/build.h"
#include "spann/clustering/centers.h"
#include "spann/floats.h"
#include "spann/lists/product_coder.h"
#include "spann/update/draft.h"
#include "spann/update/places.h"

namespace hopspan::spann {

class Update {
 public:
  // centers: the heads of the lists. options: of a build of the vectors that there will be. places: as they were when
  // the update is dropped without being applied.
  Update(const Lists& lists, const Centers& centers, Places& places, const Floats& vectors, std::size_t count,
         const BuildOptions& options, const Progress& progress);

  // Slots that are in no list need not be removed; those added are in none. The result does not depend on the number
  // of threads.
  Patch run(const std::vector<std::uint32_t>& removed, const std::vector<std::uint32_t>& added);
  // Once, after the run; there is room for all lists.
  void apply(Patch& patch, Lists& lists) noexcept;

 private:
  // A list that was cut.
  struct Cut {
    std::vector<float> head;           // that it had
    std::vector<std::uint32_t> parts;  // lists
  };
  using Slots = std::vector<std::uint32_t>;

  bool rebalance();
  Cut cut(std::uint32_t list, Slots& dropped);
  void follow_means(std::vector<Cut>& cuts);
  Copies divide(const Slots& slots, std::vector<float>& heads) const;
  void look_at_parts(const Cut& cut, Slots& suspects) const;
  void look_around(const std::vector<Cut>& cuts, Slots& suspects) const;
  bool close_short_lists(Slots& suspects);
  std::vector<std::uint32_t> lists_to_close() const;
  void assign(const Slots& slots);
  void assign_by(const Centers& centers, const Slots& slots);
  void choose(const Replicas& rule, std::uint32_t slot, Nearest* nearest, std::size_t count, Nearest* chosen) const;
  void place(std::uint32_t slot, const Nearest* chosen);
  void fit();
  Slots farthest_replicas(std::uint32_t list, std::size_t count) const;
  std::vector<float> gather(const Slots& slots) const;
  float distance(const float* a, const float* b) const { return l2_(a, b, vectors_.dim()); }
  std::uint32_t first_of(std::uint32_t slot) const { return *draft_.places().of(slot); }

  const Centers& centers_;
  const Floats& vectors_;
  BuildOptions options_;
  Progress progress_;
  distance::OneFn l2_;
  std::size_t mean_;      // number of first copies, at least 1
  std::size_t longest_;   // first copies that a list may have
  std::size_t shortest_;  // first copies that it should have
  ProductCoder coder_;
  Draft draft_;
  std::size_t moved_ = 0;
};

}  // namespace hopspan::spann
