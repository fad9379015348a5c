// What one search remembers: the nodes it has seen and the best of them. Made once a thread and used again.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "hnsw/graph.h"

namespace hopspan::hnsw {

// A distance and a node as one integer that orders by distance, then by node; the lowest bit is free for a mark.
// -0 counts as 0, and NaN (large components can overflow) as infinity.
inline std::uint64_t make_key(float distance, std::uint32_t node) {
  const float canonical = distance == distance ? distance + 0.0f : std::numeric_limits<float>::infinity();
  std::uint32_t bits;
  std::memcpy(&bits, &canonical, sizeof bits);
  bits ^= static_cast<std::uint32_t>(static_cast<std::int32_t>(bits) >> 31) | 0x80000000u;
  return static_cast<std::uint64_t>(bits) << 32 | static_cast<std::uint64_t>(node) << 1;
}

inline std::uint32_t key_node(std::uint64_t key) { return static_cast<std::uint32_t>(key) >> 1; }

inline float key_distance(std::uint64_t key) {
  std::uint32_t bits = static_cast<std::uint32_t>(key >> 32);
  bits ^= (bits >> 31) != 0 ? 0x80000000u : 0xFFFFFFFFu;
  float distance;
  std::memcpy(&distance, &bits, sizeof distance);
  return distance;
}

// A small table of nodes seen. It may forget a node when another takes its place, but never invents one; a node that is
// met again after that is measured again and recognised by the pool.
class Visited {
 public:
  void reset(std::size_t ef) {
    std::size_t bits = kMinBits;
    while (bits < kMaxBits && (std::size_t{1} << bits) < ef * kNodesPerEf) ++bits;
    shift_ = 32 - bits;
    if (table_.size() < std::size_t{1} << bits) table_.resize(std::size_t{1} << bits);
    std::fill_n(table_.data(), std::size_t{1} << bits, kNone);
  }

  // True when the node was not remembered; it is now.
  bool insert(std::uint32_t node) {
    std::uint32_t& entry = table_[(node * 0x9E3779B1u) >> shift_];
    const bool fresh = entry != node;
    entry = node;
    return fresh;
  }

 private:
  static constexpr std::size_t kMinBits = 9;
  static constexpr std::size_t kMaxBits = 14;
  static constexpr std::size_t kNodesPerEf = 64;

  std::vector<std::uint32_t> table_;
  std::size_t shift_ = 32;
};

// The best `capacity` nodes met so far, sorted, of which the best `reach` are to be expanded; the mark of a key says
// that the node has been.
class Pool {
 public:
  void reset(std::size_t reach, std::size_t capacity) {
    capacity_ = capacity;
    reach_ = reach;
    size_ = 0;
    cursor_ = 0;
    if (keys_.size() < capacity + 1) keys_.resize(capacity + 1);
  }

  bool full() const { return size_ == capacity_; }
  bool has_open() const { return cursor_ < end(); }
  std::size_t size() const { return size_; }
  std::uint64_t operator[](std::size_t i) const { return keys_[i]; }
  // A key that is not below the limit would not be kept.
  std::uint64_t limit() const { return full() ? keys_[size_ - 1] : UINT64_MAX; }

  // Calls f with the nearest `count` open nodes, or as many as there are.
  template <typename F>
  void for_each_next(std::size_t count, F&& f) const {
    for (std::size_t i = cursor_; count != 0 && i < end(); ++i) {
      if ((keys_[i] & 1) != 0) continue;
      f(key_node(keys_[i]));
      --count;
    }
  }

  // The nearest node that is not expanded; marks it.
  std::uint32_t take() {
    const std::uint32_t node = key_node(keys_[cursor_]);
    keys_[cursor_] |= 1;
    while (cursor_ < size_ && (keys_[cursor_] & 1) != 0) ++cursor_;
    return node;
  }

  void insert(std::uint64_t key) {
    if (key >= limit()) return;
    std::uint64_t* keys = keys_.data();
    const std::size_t at = lower_bound(key);
    if (at < size_ && (keys[at] | 1) == (key | 1)) return;
    if (!full()) ++size_;
    std::memmove(keys + at + 1, keys + at, (size_ - 1 - at) * sizeof(std::uint64_t));
    keys[at] = key;
    cursor_ = std::min(cursor_, at);
  }

  // Makes every node open again, to walk on from on another level under other numbers.
  template <typename Renumber>
  void reopen(Renumber&& renumber) {
    for (std::size_t i = 0; i < size_; ++i) {
      keys_[i] = (keys_[i] & ~std::uint64_t{0xFFFFFFFF}) | static_cast<std::uint64_t>(renumber(key_node(keys_[i])))
                                                               << 1;
    }
    std::sort(keys_.data(), keys_.data() + size_);
    cursor_ = 0;
  }

 private:
  std::size_t end() const { return std::min(size_, reach_); }

  // Where the first key that is not below `key` stands; without a branch to mispredict.
  std::size_t lower_bound(std::uint64_t key) const {
    const std::uint64_t* base = keys_.data();
    std::size_t count = size_;
    while (count > 1) {
      const std::size_t half = count / 2;
      base += half & (std::size_t{0} - static_cast<std::size_t>(base[half - 1] < key));
      count -= half;
    }
    return static_cast<std::size_t>(base - keys_.data()) + (count == 1 && *base < key ? 1 : 0);
  }

  std::vector<std::uint64_t> keys_;
  std::size_t capacity_ = 0;
  std::size_t reach_ = 0;
  std::size_t size_ = 0;
  std::size_t cursor_ = 0;
};

// Counts since the scratch was made.
struct Counters {
  std::uint64_t expansions = 0;
  std::uint64_t distances = 0;
};

struct Scratch {
  Visited visited;
  Pool pool;
  std::vector<std::uint32_t> nodes;  // gathered from the rows at work
  std::vector<std::uint32_t> slots;  // theirs
  std::vector<float> distances;      // theirs
  std::vector<std::uint64_t> keys;   // of those near enough for the pool
  Counters counters;

  // Makes room for `count` gathered nodes and the one that a branchless append writes past them.
  void fit(std::size_t count) {
    if (nodes.size() > count) return;
    nodes.resize(count + 1);
    slots.resize(count + 1);
    distances.resize(count + 1);
    keys.resize(count + 1);
  }
};

}  // namespace hopspan::hnsw
