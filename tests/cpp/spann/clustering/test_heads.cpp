#include <algorithm>
#include <vector>

#include "spann/clustering/heads.h"
#include "spann/gaussians.h"
#include "test.h"

using hopspan::spann::Centers;
using hopspan::spann::HeadOptions;
using hopspan::spann::make_heads;
using hopspan::spann::MatrixFloats;
using hopspan::spann::Nearest;
using hopspan::test::gaussians;

namespace {

constexpr std::size_t kCount = 6000, kDim = 12, kHeads = 60;

HeadOptions options(std::size_t threads) {
  HeadOptions how;
  how.heads = kHeads;
  how.samples_per_head = 100;
  how.seed = 5;
  how.threads = threads;
  return how;
}

}  // namespace

// Planted bug that turns it red: no balance (how.balance = 0).
TEST(heads_cut_the_vectors_into_parts_of_about_the_same_size) {
  const auto rows = gaussians(kCount, kDim, 1);
  const std::vector<float> heads = make_heads(MatrixFloats(rows), options(2), {});
  CHECK(heads.size() <= kHeads * kDim && heads.size() > kHeads * kDim / 2);
  const Centers centers(heads.data(), heads.size() / kDim, kDim);
  std::vector<std::size_t> sizes(centers.count());
  Centers::Work work;
  for (std::size_t i = 0; i < kCount; ++i) {
    Nearest nearest;
    centers.nearest(reinterpret_cast<const float*>(rows.row(i)), 1, 1, work, &nearest);
    ++sizes[nearest.center];
  }
  CHECK(*std::max_element(sizes.begin(), sizes.end()) <= 3 * kCount / centers.count());
}

TEST(heads_do_not_depend_on_the_number_of_threads) {
  const auto rows = gaussians(kCount, kDim, 1);
  CHECK(make_heads(MatrixFloats(rows), options(1), {}) == make_heads(MatrixFloats(rows), options(3), {}));
}

// Planted bug that turns it red: no refinement by all vectors.
TEST(heads_of_a_small_sample_are_refined_by_all_vectors) {
  const auto rows = gaussians(kCount, kDim, 1);
  const auto spread = [&](std::size_t samples) {
    HeadOptions how = options(2);
    how.samples_per_head = samples;
    const std::vector<float> heads = make_heads(MatrixFloats(rows), how, {});
    const Centers centers(heads.data(), heads.size() / kDim, kDim);
    Centers::Work work;
    double sum = 0.0;
    for (std::size_t i = 0; i < kCount; ++i) {
      Nearest nearest;
      centers.nearest(reinterpret_cast<const float*>(rows.row(i)), 1, 1, work, &nearest);
      sum += static_cast<double>(nearest.distance);
    }
    return sum;
  };
  CHECK(spread(4) < 1.02 * spread(100));
  HeadOptions few = options(1);
  few.samples_per_head = 4;
  HeadOptions same = few;
  same.threads = 3;
  CHECK(make_heads(MatrixFloats(rows), few, {}) == make_heads(MatrixFloats(rows), same, {}));
}

TEST(heads_from_data_are_vectors_of_the_data) {
  const auto rows = gaussians(500, kDim, 1);
  HeadOptions how = options(2);
  how.heads = 8;
  how.from_data = true;
  const std::vector<float> heads = make_heads(MatrixFloats(rows), how, {});
  for (std::size_t h = 0; h < heads.size(); h += kDim) {
    bool found = false;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      found = found || std::equal(&heads[h], &heads[h] + kDim, reinterpret_cast<const float*>(rows.row(i)));
    }
    CHECK(found);
  }
}
