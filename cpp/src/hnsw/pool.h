// The best nodes that a search has met, in order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "distance/beam.h"
#include "distance/keys.h"

namespace hopspan::hnsw {

using distance::key_distance;
using distance::key_node;
using distance::make_key;

// When a search has found what it is for (arXiv 2505.15636): once `rank` nodes are there, a node is not expanded when
// it is farther than `factor` times the distance of the last of them, or of `least` where that is more.
struct EarlyStop {
  std::size_t rank = 0;  // 0: never
  std::size_t kept = 0;  // nodes that are kept, however far, where the pool has room
  float factor = 1.0f;
  float least = 0.0f;
};

// The best `capacity` nodes met so far, sorted, of which the best `reach` are to be expanded, or fewer by an early
// stop; the mark of a key says that the node has been.
class Pool {
 public:
  explicit Pool(const distance::BeamTable& beam = distance::beams()) : beam_(&beam) {}

  void reset(std::size_t reach, std::size_t capacity, const EarlyStop& stop = {}) {
    capacity_ = capacity;
    reach_ = reach;
    stop_ = stop;
    farthest_open_ = UINT64_MAX;
    size_ = 0;
    cursor_ = 0;
  }

  const distance::BeamTable& beam() const { return *beam_; }

  bool full() const { return size_ == capacity_; }
  bool has_open() const { return cursor_ < end() && keys_[cursor_] <= farthest_open_; }
  std::size_t size() const { return size_; }
  std::uint64_t operator[](std::size_t i) const { return keys_[i]; }
  // A key that is not below the limit would not be kept.
  std::uint64_t limit() const {
    if (full()) return keys_[size_ - 1];
    if (farthest_open_ == UINT64_MAX || size_ < stop_.kept) return UINT64_MAX;
    return std::max(farthest_open_, keys_[stop_.kept - 1]);
  }

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

  void insert(std::uint64_t key) { insert(&key, 1); }
  // Inserts `count` keys without a mark, which are used up.
  void insert(std::uint64_t* fresh, std::size_t count) {
    const std::size_t room = size_ + count + distance::kBeamPadding;
    if (keys_.size() < room) keys_.resize(room);
    const distance::Merged merged = beam_->merge(keys_.data(), size_, fresh, count);
    size_ = std::min(merged.size, capacity_);
    cursor_ = std::min(cursor_, merged.first);
    if (stop_.rank != 0 && size_ >= stop_.rank) {
      const float distance = std::max(key_distance(keys_[stop_.rank - 1]), stop_.least);
      farthest_open_ = make_key(distance * stop_.factor, INT32_MAX);
      while (size_ > stop_.kept && keys_[size_ - 1] > farthest_open_) --size_;
    }
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

  const distance::BeamTable* beam_;
  std::vector<std::uint64_t> keys_;
  EarlyStop stop_;
  std::uint64_t farthest_open_ = UINT64_MAX;
  std::size_t capacity_ = 0;
  std::size_t reach_ = 0;
  std::size_t size_ = 0;
  std::size_t cursor_ = 0;
};

}  // namespace hopspan::hnsw
