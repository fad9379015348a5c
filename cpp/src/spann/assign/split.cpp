#include <algorithm>
#include <numeric>
#include <utility>

#include "core/checked.h"
#include "spann/assign/copies.h"
#include "spann/clustering/means.h"
#include "spann/lists/format.h"

namespace hopspan::spann {
namespace {

constexpr std::size_t kRounds = 10;
constexpr double kBalance = 1.0;

float squared_distance(const float* a, const float* b, std::size_t dim) {
  float sum = 0.0F;
  for (std::size_t d = 0; d < dim; ++d) sum += (a[d] - b[d]) * (a[d] - b[d]);
  return sum;
}

// Cuts one list in two halves of about the same size.
class Cut {
 public:
  Cut(const Floats& vectors, const std::vector<std::uint32_t>& entries)
      : dim_(vectors.dim()), entries_(entries), members_(core::checked_mul(entries.size(), dim_)) {
    std::vector<std::uint32_t> slots(entries.size());
    std::transform(entries.begin(), entries.end(), slots.begin(), slot_of);
    vectors.gather(slots.data(), slots.size(), members_.data());
  }

  // Writes the heads of both, and the entries of the second, which the first loses.
  void run(float* first_head, float* second_head, std::vector<std::uint32_t>& first,
           std::vector<std::uint32_t>& second) {
    const std::size_t count = entries_.size();
    std::vector<float> centers(members_.begin(), members_.begin() + static_cast<std::ptrdiff_t>(dim_));
    const std::size_t other = farthest_from(centers.data());
    centers.insert(centers.end(), &members_[other * dim_], &members_[other * dim_] + dim_);
    BalancedMeans(members_.data(), count, dim_, kBalance).run(kRounds, centers);
    std::vector<std::pair<float, std::uint32_t>> order;  // by how much nearer the first one is
    for (std::uint32_t i = 0; i < count; ++i) {
      const float* const member = &members_[i * dim_];
      const float lead = squared_distance(member, &centers[0], dim_) - squared_distance(member, &centers[dim_], dim_);
      order.emplace_back(lead == lead ? lead : 0.0F, i);
    }
    std::sort(order.begin(), order.end());
    std::size_t middle = 0;
    while (middle < count && order[middle].first < 0.0F) ++middle;
    if (middle < count / 3 || middle > count - count / 3) middle = count / 2;
    std::vector<std::uint32_t> places;
    for (const auto& [lead, i] : order) places.push_back(i);
    std::sort(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(middle));
    std::sort(places.begin() + static_cast<std::ptrdiff_t>(middle), places.end());
    mean_of(members_.data(), dim_, places.data(), middle, first_head);
    mean_of(members_.data(), dim_, places.data() + middle, count - middle, second_head);
    std::vector<std::uint32_t> kept;
    for (std::size_t i = 0; i < count; ++i) (i < middle ? kept : second).push_back(entries_[places[i]]);
    first = std::move(kept);
  }

 private:
  std::size_t farthest_from(const float* center) const {
    std::size_t best = 0;
    float most = -1.0F;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const float distance = squared_distance(&members_[i * dim_], center, dim_);
      if (!(distance > most)) continue;
      most = distance;
      best = i;
    }
    return best;
  }

  std::size_t dim_;
  const std::vector<std::uint32_t>& entries_;
  std::vector<float> members_;
};

}  // namespace

void split_long_lists(const Floats& vectors, std::size_t capacity, std::vector<float>& heads, Copies& copies) {
  const std::size_t dim = vectors.dim();
  for (std::size_t l = 0; l < copies.size(); ++l) {
    while (copies[l].size() > capacity) {
      copies.emplace_back();
      heads.resize(heads.size() + dim);
      Cut(vectors, copies[l]).run(&heads[l * dim], &heads[heads.size() - dim], copies[l], copies.back());
    }
  }
}

}  // namespace hopspan::spann
