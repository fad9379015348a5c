#include "spann/assign/replicas.h"

#include <algorithm>

#include "hopspan/options.h"
#include "vectors/query.h"

namespace hopspan::spann {
namespace {

constexpr float kSoarWeight = 1.0F;

bool is_chosen(const Nearest* chosen, std::size_t count, std::uint32_t center) {
  return std::any_of(chosen, chosen + count, [=](const Nearest& c) { return c.center == center; });
}

}  // namespace

Replicas::Replicas(const float* heads, std::size_t dim, const ReplicaOptions& options)
    : heads_(heads), dim_(dim), options_(options), l2_(vectors::kernel_of(Metric::kL2, DType::kFloat32).one) {}

float Replicas::between(std::uint32_t a, std::uint32_t b) const {
  return l2_(heads_ + a * dim_, heads_ + b * dim_, dim_);
}

std::size_t Replicas::choose(const Nearest* candidates, std::size_t count, Nearest* chosen) const {
  if (count == 0) return 0;
  const float limit = options_.ratio * options_.ratio * candidates[0].distance;
  while (count > 1 && candidates[count - 1].distance > limit) --count;
  return options_.rule == ReplicaRule::kRng ? choose_rng(candidates, count, chosen)
                                            : choose_soar(candidates, count, chosen);
}

std::size_t Replicas::choose_rng(const Nearest* candidates, std::size_t count, Nearest* chosen) const {
  std::size_t n = 0;
  for (std::size_t i = 0; i < count && n < options_.most; ++i) {
    const bool seen = std::any_of(chosen, chosen + n, [&](const Nearest& c) {
      return between(c.center, candidates[i].center) < candidates[i].distance;
    });
    if (!seen) chosen[n++] = candidates[i];
  }
  return n;
}

std::size_t Replicas::choose_soar(const Nearest* candidates, std::size_t count, Nearest* chosen) const {
  if (count <= options_.most) {
    std::copy_n(candidates, count, chosen);
    return count;
  }
  chosen[0] = candidates[0];
  std::size_t n = 1;
  while (n < options_.most) {
    const Nearest* best = nullptr;
    float least = 0.0F;
    for (std::size_t i = 1; i < count; ++i) {
      if (is_chosen(chosen, n, candidates[i].center)) continue;
      const float cost = candidates[i].distance + penalty(candidates[i], chosen, n);
      if (best == nullptr || cost < least) {
        best = candidates + i;
        least = cost;
      }
    }
    chosen[n++] = *best;
  }
  return n;
}

// How far the candidate's residual runs along those of the chosen heads, squared. Residuals differ by what their heads
// differ, which gives their product.
float Replicas::penalty(const Nearest& candidate, const Nearest* chosen, std::size_t count) const {
  float sum = 0.0F;
  for (std::size_t i = 0; i < count; ++i) {
    if (!(chosen[i].distance > 0.0F)) continue;
    const float product =
        0.5F * (candidate.distance + chosen[i].distance - between(candidate.center, chosen[i].center));
    sum += product * product / chosen[i].distance;
  }
  return kSoarWeight * sum;
}

}  // namespace hopspan::spann
