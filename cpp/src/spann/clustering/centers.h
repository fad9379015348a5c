// Centres packed for matrix products, and the nearest of them to many vectors or queries at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/buffer.h"
#include "hopspan/options.h"

namespace hopspan::spann {

struct Nearest {
  float distance;  // squared Euclidean, unless said otherwise
  std::uint32_t center;
};

// Adds the squared norm of each vector to the first `kept` distances of its list; lists lie `apart`.
void add_norms(const float* vectors, std::size_t count, std::size_t dim, std::size_t kept, std::size_t apart,
               Nearest* lists);

class Centers {
 public:
  // What a thread needs; made once, used for any centres of the same dimension.
  struct Work {
    core::Buffer vectors;
    core::Buffer products;
  };

  static constexpr std::size_t kVectorsAtOnce = 96;

  Centers(const float* centers, std::size_t count, std::size_t dim);

  std::size_t count() const noexcept { return norms_.size(); }

  // The min(most, count()) nearest centres of each vector, nearest first and ties by number; `most` apart in `out`. At
  // most kVectorsAtOnce vectors.
  void nearest(const float* vectors, std::size_t count, std::size_t most, Work& work, Nearest* out) const;

  // Takes these centres, whose numbers begin at `first`, into lists of the `most` nearest so far, which are distances
  // without the squared norm of the vector.
  void improve(const float* vectors, std::size_t count, std::size_t most, std::uint32_t first, Work& work,
               Nearest* out) const;

  // The same by the distance that a search goes by, without what depends on the query alone: |c|^2 - 2 <q, c> under
  // kL2, else -<q, c>.
  void probe(const float* queries, std::size_t count, Metric metric, std::size_t most, Work& work, Nearest* out) const;

 private:
  void rank(const float* vectors, std::size_t count, bool products_only, std::size_t most, Work& work,
            Nearest* out) const;
  void sift(const float* vectors, std::size_t count, bool products_only, std::size_t most, std::size_t apart,
            std::uint32_t first_number, Work& work, Nearest* out) const;

  std::size_t dim_;
  core::Buffer panels_;
  std::vector<float> norms_;  // squared
};

}  // namespace hopspan::spann
