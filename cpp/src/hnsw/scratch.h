// What one search remembers: the nodes it has seen and the best of them. Made once a thread and used again.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "hnsw/graph.h"
#include "hnsw/pool.h"

namespace hopspan::hnsw {

// A small table of nodes seen. It may forget a node when another takes its place, but never invents one; a node that is
// met again after that is measured again and recognised by the pool.
class Visited {
 public:
  void reset(std::size_t ef) {
    std::size_t bits = kMinBits;
    while (bits < kMaxBits && (std::size_t{1} << bits) < ef * kNodesPerEf) ++bits;
    shift_ = static_cast<std::uint32_t>(32 - bits);
    if (table_.size() < std::size_t{1} << bits) table_.resize(std::size_t{1} << bits);
    std::fill_n(table_.data(), std::size_t{1} << bits, kNone);
  }

  // True when the node was not remembered; it is now.
  bool insert(std::uint32_t node) {
    std::uint32_t& entry = table_[(node * distance::kSeenFactor) >> shift_];
    const bool fresh = entry != node;
    entry = node;
    return fresh;
  }

  distance::SeenTable table() { return {table_.data(), shift_}; }

 private:
  static constexpr std::size_t kMinBits = 9;
  static constexpr std::size_t kMaxBits = 14;
  static constexpr std::size_t kNodesPerEf = 64;

  std::vector<std::uint32_t> table_;
  std::uint32_t shift_ = 32;
};

// Counts since the scratch was made.
struct Counters {
  std::uint64_t expansions = 0;
  std::uint64_t distances = 0;
};

struct Scratch {
  Visited visited;
  Pool pool;
  std::vector<std::uint32_t> row;    // of the node at work, where an excluded one has to be left out
  std::vector<std::uint32_t> nodes;  // gathered from the rows at work
  std::vector<std::uint32_t> slots;  // theirs
  std::vector<float> distances;      // theirs
  std::vector<std::uint64_t> keys;   // of those near enough for the pool
  Counters counters;

  // Makes room for `count` gathered nodes and what the kernels write past them.
  void fit(std::size_t count) {
    const std::size_t room = count + distance::kBeamPadding;
    if (nodes.size() >= room) return;
    nodes.resize(room);
    slots.resize(room);
    distances.resize(room);
    keys.resize(room);
  }
};

}  // namespace hopspan::hnsw
