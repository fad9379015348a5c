// Very many centres, in groups of near ones: a vector is compared with those of the groups nearest to it alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "spann/clustering/centers.h"

namespace hopspan::spann {

class GroupedCenters {
 public:
  // What a thread needs.
  struct Work {
    Centers::Work centers;
    std::vector<Nearest> groups;       // the nearest ones of each vector
    std::vector<std::uint32_t> order;  // of places in `groups`, by group
    std::vector<float> vectors;        // of one group
    std::vector<Nearest> lists;        // of these
  };

  // most: how many will be asked for at most. The result does not depend on the number of threads.
  GroupedCenters(const float* centers, std::size_t count, std::size_t dim, std::size_t most, std::size_t threads);

  std::size_t count() const noexcept { return numbers_.size(); }
  // How many vectors make the work on one group worth while and still fit a thread's memory.
  std::size_t vectors_at_once() const noexcept;

  // As Centers::nearest, but that a centre whose group lies far from the vector may be missed. At most
  // vectors_at_once() vectors.
  void nearest(const float* vectors, std::size_t count, std::size_t most, Work& work, Nearest* out) const;

 private:
  struct Group {
    std::uint32_t first;  // of its centres among all, group by group
    Centers centers;
  };

  void make_groups(const float* centers, std::size_t threads);
  // How many groups hold so many centres, whichever they are.
  std::size_t groups_with(std::size_t centers) const;
  // Vectors at order[begin, end) have the same group among their nearest.
  void improve(const float* vectors, std::size_t begin, std::size_t end, std::size_t most, Work& work,
               Nearest* out) const;

  std::size_t dim_;
  std::size_t around_ = 1;  // groups that a vector is compared with
  std::vector<Group> groups_;
  std::vector<Centers> means_;          // one, or none where there is one group
  std::vector<std::uint32_t> numbers_;  // of the centres, group by group
};

}  // namespace hopspan::spann
