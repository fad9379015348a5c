// Where a search of a graph stops, so that one with effort `ef` expands about so many nodes in the mean of queries: a
// query whose neighbours stand out takes fewer, one whose neighbours do not takes more. Learnt from walks around a
// sample of queries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/function_ref.h"
#include "hnsw/search.h"
#include "storage/byte_reader.h"

namespace hopspan::index {

class EarlyStops {
 public:
  // A query expands at most so many times `ef`.
  static constexpr std::size_t kSpread = 4;
  // So many of the nodes around a query tell all that learning wants to know.
  static constexpr std::size_t kWalked = 4096;

  // None: searches are beams of a fixed width.
  EarlyStops() = default;
  // walks: for each query the distances of the nodes nearest to it, as the walk measures them, ascending; at least one
  // walk, each of as many nodes as the others, and the rest are farther. Where half of the k-th distances are 0 they
  // tell nothing, and then there are none.
  explicit EarlyStops(const std::vector<std::vector<float>>& walks);

  bool empty() const noexcept { return ranks_.empty(); }
  // For k results of a graph of `size` nodes, of which walks keep `spare` for ranking beyond those.
  hnsw::Effort effort(std::size_t k, std::size_t ef, std::size_t spare, std::size_t size) const;

  void write(storage::ByteWriter& writer) const;
  // Throws CorruptIndexError unless the bytes are those of a write().
  static EarlyStops read(storage::ByteReader& reader);

 private:
  // For results of one number.
  struct Rank {
    std::uint32_t k;
    float least;                 // of hnsw::EarlyStop
    std::vector<float> factors;  // for each effort of k, 2 k, 4 k, ..., at least 1
  };

  static Rank learn(const std::vector<std::vector<float>>& walks, std::uint32_t k);
  static float factor(const Rank& rank, double ef);

  std::vector<Rank> ranks_;  // k rises
};

}  // namespace hopspan::index
