// Rows that are chosen while the graph is searched, and then take the place of old ones, a few at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/fair_mutex.h"
#include "hnsw/graph.h"

namespace hopspan::hnsw {

class NewRows {
 public:
  void clear(std::size_t width) {
    width_ = width;
    nodes_.clear();
    links_.clear();
  }
  void add(std::uint32_t node) {
    nodes_.push_back(node);
    links_.resize(nodes_.size() * width_);
  }

  std::size_t size() const noexcept { return nodes_.size(); }
  std::uint32_t* row(std::size_t i) noexcept { return links_.data() + i * width_; }

  // links: the level's. mutex: held by the caller, or null; readers get in between.
  void write(std::uint32_t* links, core::FairMutex* mutex) const {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (i != 0 && i % kRowsPerTurn == 0) core::aside(mutex, [] {});
      std::copy_n(links_.data() + i * width_, width_, links + nodes_[i] * width_);
    }
  }

 private:
  static constexpr std::size_t kRowsPerTurn = 64;  // some 10 us of cache misses

  std::size_t width_ = 0;
  std::vector<std::uint32_t> nodes_;
  std::vector<std::uint32_t> links_;
};

}  // namespace hopspan::hnsw
