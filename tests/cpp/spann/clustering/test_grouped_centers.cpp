// Planted bugs that turn these tests red, each tried on its own: centres numbered within their groups, one group around
// a vector.
#include <algorithm>
#include <vector>

#include "spann/clustering/grouped_centers.h"
#include "spann/gaussians.h"
#include "test.h"

using hopspan::spann::Centers;
using hopspan::spann::GroupedCenters;
using hopspan::spann::Nearest;
using hopspan::test::gaussians;

namespace {

constexpr std::size_t kDim = 12, kVectors = 700, kMost = 4;

struct Found {
  Found(std::size_t count, std::size_t most, std::size_t threads) : exact(kVectors * most), grouped(kVectors * most) {
    const auto centers = gaussians(count, kDim, 1), vectors = gaussians(kVectors, kDim, 2);
    const auto* const all = reinterpret_cast<const float*>(centers.row(0));
    const Centers plain(all, count, kDim);
    const GroupedCenters groups(all, count, kDim, most, threads);
    Centers::Work work;
    GroupedCenters::Work group_work;
    for (std::size_t i = 0; i < kVectors; i += 50) {
      const auto* const some = reinterpret_cast<const float*>(vectors.row(i));
      plain.nearest(some, 50, most, work, &exact[i * most]);
      groups.nearest(some, 50, most, group_work, &grouped[i * most]);
    }
  }

  double share() const {
    std::size_t same = 0;
    for (std::size_t i = 0; i < exact.size(); ++i) same += exact[i].center == grouped[i].center;
    return static_cast<double>(same) / static_cast<double>(exact.size());
  }

  std::vector<Nearest> exact, grouped;
};

bool same(const std::vector<Nearest>& a, const std::vector<Nearest>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Nearest& x, const Nearest& y) {
    return x.center == y.center && x.distance == y.distance;
  });
}

}  // namespace

TEST(grouped_centers_find_nearly_all_of_the_nearest) {
  const Found found(4000, kMost, 2);
  CHECK(found.share() > 0.85);
  CHECK(found.share() < 1.0);  // groups are left out
  for (std::size_t i = 0; i < found.exact.size(); ++i) {
    CHECK(found.grouped[i].distance >= found.exact[i].distance - 1e-3F);
    if (i % kMost != 0) CHECK(found.grouped[i].distance >= found.grouped[i - 1].distance);
  }
}

TEST(grouped_centers_that_are_few_or_all_asked_for_are_found_exactly) {
  CHECK_EQUAL(Found(300, kMost, 2).share(), 1.0);
  CHECK_EQUAL(Found(2500, 200, 2).share(), 1.0);
}

TEST(grouped_centers_do_not_depend_on_the_number_of_threads) {
  CHECK(same(Found(4000, kMost, 1).grouped, Found(4000, kMost, 3).grouped));
}
