// Planted bugs that turn these tests red, each tried on its own: heads that keep their length under cosine, a distance
// that is that of the unit head.
#include <cmath>
#include <vector>

#include "spann/clustering/ranked_heads.h"
#include "test.h"

using hopspan::Metric;
namespace spann = hopspan::spann;

namespace {

// The first head is long, the second points where the query does, the third has no direction.
const std::vector<float> kHeads = {3.0F, 1.0F, 0.0F, 0.5F, 0.0F, 0.0F};
const float kQuery[] = {0.0F, 1.0F};

std::vector<spann::Nearest> ranked(const spann::RankedHeads& heads) {
  spann::Centers::Work work;
  std::vector<spann::Nearest> out(heads.count());
  heads.probe(kQuery, 1, out.size(), work, out.data());
  return out;
}

}  // namespace

TEST(ranked_heads_go_by_the_angle_under_cosine) {
  const spann::RankedHeads heads(kHeads.data(), 3, 2, Metric::kCosine);
  const std::vector<spann::Nearest> out = ranked(heads);
  CHECK(out[0].center == 1 && out[1].center == 0 && out[2].center == 2);
  CHECK(std::fabs(out[0].distance + 1.0F) < 1e-6F);
  CHECK(std::fabs(heads.lengths().distance(out[0]) + 0.5F) < 1e-6F);
  CHECK(std::fabs(heads.lengths().distance(out[1]) + 1.0F) < 1e-6F);
  CHECK_EQUAL(heads.lengths().distance(out[2]), 0.0F);
}

TEST(ranked_heads_go_by_the_distance_otherwise) {
  for (const Metric metric : {Metric::kL2, Metric::kIp}) {
    const spann::RankedHeads heads(kHeads.data(), 3, 2, metric);
    const std::vector<spann::Nearest> out = ranked(heads);
    CHECK(out[0].center == (metric == Metric::kL2 ? 1u : 0u));
    for (const spann::Nearest& one : out) CHECK(heads.lengths().distance(one) == one.distance);
  }
}
