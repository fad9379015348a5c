#include <algorithm>
#include <limits>
#include <set>

#include "core/random.h"
#include "index/exact/shortlist.h"
#include "test.h"

namespace {

using namespace hopspan;
using index::exact::Margin;
using index::exact::Score;
using index::exact::Shortlist;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

Score no_score(std::uint32_t) { throw test::Failure("a score was asked for"); }

std::set<std::uint32_t> slots(const Shortlist& shortlist) {
  std::set<std::uint32_t> all;
  for (const Shortlist::Candidate& candidate : shortlist.candidates()) all.insert(candidate.slot);
  return all;
}

}  // namespace

TEST(index_exact_shortlist_keeps_what_may_be_among_the_nearest) {
  constexpr std::size_t kCount = 5000, kNearest = 10;
  Shortlist shortlist(kNearest, Margin(0.0, 0.002));
  std::vector<float> highs;
  std::vector<std::pair<float, std::uint32_t>> lows;
  for (std::uint32_t slot = 0; slot < kCount; ++slot) {
    const float low = static_cast<float>(core::random_unit(1, slot)), high = low + 0.001F;
    if (!(low > shortlist.limit())) shortlist.add({low, high, slot}, no_score);
    highs.push_back(high);
    lows.emplace_back(low, slot);
  }
  shortlist.prune();
  std::nth_element(highs.begin(), highs.begin() + kNearest - 1, highs.end());
  const float limit = Margin(0.0, 0.002).limit(highs[kNearest - 1]);
  std::set<std::uint32_t> expected;
  for (const auto& [low, slot] : lows) {
    if (low <= limit) expected.insert(slot);
  }
  CHECK(expected.size() > kNearest && slots(shortlist) == expected);
}

TEST(index_exact_shortlist_of_equals_keeps_the_best_scores) {
  Shortlist shortlist(4, Margin());
  const auto score = [](std::uint32_t slot) { return Score(0.0, 100000 - slot); };
  for (std::uint32_t slot = 0; slot < 3000; ++slot) {
    shortlist.add({1.0F, 1.0F, slot}, score);
    CHECK(shortlist.candidates().size() <= Shortlist::capacity(4));
  }
  for (std::uint32_t slot = 2996; slot < 3000; ++slot) CHECK_EQUAL(slots(shortlist).count(slot), std::size_t{1});
}

TEST(index_exact_shortlist_takes_nan_for_no_bound) {
  Shortlist shortlist(1, Margin());
  shortlist.add({2.0F, 2.0F, 0}, no_score);
  shortlist.add({kNaN, kNaN, 1}, no_score);
  shortlist.add({3.0F, kNaN, 2}, no_score);
  shortlist.prune();
  CHECK((slots(shortlist) == std::set<std::uint32_t>{0, 1}));
  CHECK_EQUAL(shortlist.limit(), 2.0F);
}
