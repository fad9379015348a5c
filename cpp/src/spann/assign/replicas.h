// Which lists a vector joins: that of its nearest head, and a few more whose heads see it from elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "distance/kernels.h"
#include "spann/clustering/centers.h"

namespace hopspan::spann {

enum class ReplicaRule : std::uint8_t {
  kRng = 0,   // SPANN: a head is skipped when it is nearer to a chosen one than to the vector
  kSoar = 1,  // SOAR: the head whose residual is short and at an angle to the first one's
};

struct ReplicaOptions {
  ReplicaRule rule = ReplicaRule::kSoar;
  std::size_t most = 2;     // lists a vector is in at most
  float ratio = 1.2F;       // how much farther than the nearest head another may be
  std::size_t nearest = 8;  // heads that are looked at
};

class Replicas {
 public:
  Replicas(const float* heads, std::size_t dim, const ReplicaOptions& options);

  // candidates: nearest heads of a vector, nearest first. Writes the chosen ones, at most options.most, the nearest
  // first, and returns their number.
  std::size_t choose(const Nearest* candidates, std::size_t count, Nearest* chosen) const;

 private:
  float between(std::uint32_t a, std::uint32_t b) const;
  std::size_t choose_rng(const Nearest* candidates, std::size_t count, Nearest* chosen) const;
  std::size_t choose_soar(const Nearest* candidates, std::size_t count, Nearest* chosen) const;
  float penalty(const Nearest& candidate, const Nearest* chosen, std::size_t count) const;

  const float* heads_;
  std::size_t dim_;
  ReplicaOptions options_;
  distance::OneFn l2_;
};

}  // namespace hopspan::spann
