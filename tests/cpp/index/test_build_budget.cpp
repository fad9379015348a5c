#include "hopspan/error.h"
#include "index/build_budget.h"
#include "test.h"

using hopspan::InvalidArgument;
using hopspan::index::BuildSize;
using hopspan::index::least_memory;
using hopspan::index::share_memory;

namespace {

constexpr BuildSize kSize{1000000, 128, 512, 30000, 107, 2};

}  // namespace

TEST(build_budget_takes_the_least_and_refuses_less) {
  const std::size_t least = least_memory(kSize);
  CHECK(least < std::size_t{128} << 20);  // a quarter of the vectors
  CHECK(share_memory(kSize, least).group_bytes >= std::size_t{2} << 20);
  CHECK_THROWS(InvalidArgument, "takes at least " + std::to_string(least), share_memory(kSize, least - 1));
}

TEST(build_budget_gives_more_to_the_sample_and_the_groups_up_to_a_point) {
  const std::size_t least = least_memory(kSize);
  const auto small = share_memory(kSize, least);
  const auto large = share_memory(kSize, std::size_t{4} << 30);
  CHECK(small.samples_per_head < large.samples_per_head && small.group_bytes < large.group_bytes);
  CHECK_EQUAL(large.samples_per_head, share_memory(kSize, std::size_t{64} << 30).samples_per_head);
}

TEST(build_budget_grows_with_the_vectors) {
  BuildSize twice = kSize;
  twice.vectors *= 2;
  twice.heads *= 2;
  CHECK(least_memory(twice) > least_memory(kSize) * 3 / 2);
  CHECK(least_memory({1, 1, 4, 1, 1, 1}) < std::size_t{32} << 20);
}
