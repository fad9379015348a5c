// Small vector sets and graphs for the tests of this room.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "core/random.h"
#include "hnsw/insert.h"
#include "hnsw/renumber.h"
#include "hnsw/search.h"
#include "test.h"
#include "vectors/query.h"

namespace hopspan::test {

// rows x dim values in [0, 1).
inline std::vector<float> random_values(std::size_t rows, std::size_t dim, std::uint64_t seed) {
  std::vector<float> values(rows * dim);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(core::random_u64(seed, i) >> 40) * 0x1.0p-24f;
  }
  return values;
}

inline vectors::Matrix l2_matrix(const std::vector<float>& values, std::size_t dim) {
  vectors::Matrix matrix({dim, Metric::kL2, DType::kFloat32});
  matrix.append({values.data(), values.size() / dim, dim, DType::kFloat32});
  return matrix;
}

inline HnswOptions small_options(std::uint32_t M = 8) {
  HnswOptions options;
  options.M = M;
  options.ef_construction = 64;
  return options;
}

inline hnsw::Graph build(const vectors::Matrix& matrix, const HnswOptions& options, std::size_t threads = 1,
                         std::uint64_t seed = 0) {
  hnsw::Graph graph(options);
  hnsw::insert(graph, hnsw::Space(matrix), options, seed, threads, {});
  return graph;
}

inline std::vector<std::uint32_t> exact(const vectors::Matrix& matrix, const float* query, std::size_t k) {
  const hnsw::Space space(matrix);
  std::vector<hnsw::Neighbor> all(matrix.size());
  for (std::uint32_t slot = 0; slot < matrix.size(); ++slot) all[slot] = {space.distance(query, slot), slot};
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return a.distance != b.distance ? a.distance < b.distance : a.slot < b.slot;
  });
  std::vector<std::uint32_t> slots;
  for (std::size_t i = 0; i < std::min(k, all.size()); ++i) slots.push_back(all[i].slot);
  return slots;
}

inline std::vector<std::uint32_t> found(const hnsw::Graph& graph, const vectors::Matrix& matrix, const float* query,
                                        std::size_t k, std::size_t ef, std::uint32_t excluded = hnsw::kNone) {
  hnsw::Scratch scratch;
  std::vector<hnsw::Neighbor> out(k);
  out.resize(hnsw::search(graph, hnsw::Space(matrix), query, k, ef, scratch, out.data(), excluded));
  std::vector<std::uint32_t> slots;
  for (const hnsw::Neighbor& neighbor : out) slots.push_back(neighbor.slot);
  return slots;
}

inline double recall(const hnsw::Graph& graph, const vectors::Matrix& matrix, std::size_t ef) {
  constexpr std::size_t kQueries = 100;
  constexpr std::size_t k = 10;
  const std::size_t dim = matrix.format().dim;
  const std::vector<float> queries = random_values(kQueries, dim, 99);
  std::size_t hits = 0;
  for (std::size_t q = 0; q < kQueries; ++q) {
    const auto truth = exact(matrix, queries.data() + q * dim, k);
    for (const std::uint32_t slot : found(graph, matrix, queries.data() + q * dim, k, ef)) {
      hits += static_cast<std::size_t>(std::count(truth.begin(), truth.end(), slot));
    }
  }
  return static_cast<double>(hits) / (kQueries * k);
}

inline bool same(const hnsw::Graph& a, const hnsw::Graph& b) {
  if (a.entry != b.entry || a.entry_level != b.entry_level || a.levels.size() != b.levels.size()) return false;
  const auto equal = [](const core::Array<std::uint32_t>& x, const core::Array<std::uint32_t>& y) {
    return x.size() == y.size() && std::equal(x.data(), x.data() + x.size(), y.data());
  };
  for (std::size_t l = 0; l < a.levels.size(); ++l) {
    const hnsw::Level& x = a.levels[l];
    const hnsw::Level& y = b.levels[l];
    if (x.size != y.size || !equal(x.links, y.links) || !equal(x.slots, y.slots) || !equal(x.below, y.below)) {
      return false;
    }
  }
  return true;
}

// Every link with the tree's mark has its counterpart, and the marked links alone connect all nodes of each level that
// are not free.
inline void check_trees(const hnsw::Graph& graph) {
  using namespace hnsw;
  for (const Level& level : graph.levels) {
    const auto is_free = [&](std::uint32_t node) { return level.row(node)[0] == kNone; };
    std::size_t nodes = 0;
    std::vector<std::uint32_t> open;
    for (std::uint32_t node = 0; node < level.size; ++node) {
      if (is_free(node)) continue;
      if (nodes++ == 0) open.push_back(node);
    }
    if (nodes == 0) continue;
    std::vector<bool> met(level.size);
    met[open[0]] = true;
    std::size_t count = 1;
    std::size_t marked = 0;
    while (!open.empty()) {
      const std::uint32_t node = open.back();
      open.pop_back();
      for (std::size_t i = 0; i < level.width && level.row(node)[i] != kNone; ++i) {
        const std::uint32_t link = level.row(node)[i];
        if (!is_tree(link)) continue;
        ++marked;
        const std::uint32_t* back = level.row(target(link));
        CHECK(std::find(back, back + level.width, node | kTreeBit) != back + level.width);
        if (met[target(link)]) continue;
        met[target(link)] = true;
        ++count;
        open.push_back(target(link));
      }
    }
    CHECK_EQUAL(count, nodes);
    CHECK_EQUAL(marked, 2 * (nodes - 1));
  }
}

}  // namespace hopspan::test
