// The rows that may be among the k nearest of one query, by bounds on their scores (smaller is closer). Its size is
// bounded, however many rows are equally near.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "index/exact/margin.h"

namespace hopspan::index::exact {

// A double precision distance and an external id: the order of the results.
using Score = std::pair<double, std::int64_t>;

class Shortlist {
 public:
  struct Candidate {
    float low;
    float high;
    std::uint32_t slot;
  };

  Shortlist(std::size_t k, const Margin& margin) : k_(k), margin_(margin) {}

  static std::size_t capacity(std::size_t k) { return k + std::max<std::size_t>(k, 64); }

  // A row whose low bound is above it is not wanted.
  float limit() const noexcept { return limit_; }
  const std::vector<Candidate>& candidates() const noexcept { return candidates_; }

  // score(slot) is asked only when bounds do not tell enough candidates apart.
  template <typename ScoreFn>
  void add(const Candidate& candidate, ScoreFn&& score) {
    if (candidates_.size() == capacity(k_)) {
      prune();
      if (candidates_.size() > k_ + (capacity(k_) - k_) / 2) refine(score);
    }
    candidates_.push_back(candidate);
    // NaN, which overflow can make, bounds nothing.
    if (std::isnan(candidate.low)) candidates_.back().low = -std::numeric_limits<float>::infinity();
    if (std::isnan(candidate.high)) candidates_.back().high = std::numeric_limits<float>::infinity();
  }

  void merge(const Shortlist& other) {
    candidates_.insert(candidates_.end(), other.candidates_.begin(), other.candidates_.end());
  }

  // Drops what the bounds of the other candidates rule out.
  void prune() {
    if (candidates_.size() <= k_) return;
    const auto kth = candidates_.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
    std::nth_element(candidates_.begin(), kth, candidates_.end(),
                     [](const Candidate& a, const Candidate& b) { return a.high < b.high; });
    limit_ = std::min(limit_, margin_.limit(kth->high));
    const auto dropped = [this](const Candidate& candidate) { return candidate.low > limit_; };
    candidates_.erase(std::remove_if(candidates_.begin(), candidates_.end(), dropped), candidates_.end());
  }

 private:
  // Keeps the k best by their scores.
  template <typename ScoreFn>
  void refine(ScoreFn&& score) {
    std::vector<std::pair<Score, Candidate>> scored;
    scored.reserve(candidates_.size());
    for (const Candidate& candidate : candidates_) scored.emplace_back(score(candidate.slot), candidate);
    std::nth_element(scored.begin(), scored.begin() + static_cast<std::ptrdiff_t>(k_), scored.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    candidates_.resize(k_);
    for (std::size_t i = 0; i < k_; ++i) candidates_[i] = scored[i].second;
  }

  std::size_t k_;
  Margin margin_;
  float limit_ = std::numeric_limits<float>::infinity();
  std::vector<Candidate> candidates_;
};

}  // namespace hopspan::index::exact
