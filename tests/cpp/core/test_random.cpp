#include <cstdint>
#include <set>

#include "core/random.h"
#include "test.h"

using hopspan::core::random_u64;
using hopspan::core::random_unit;

// The values decide the levels of stored graphs: they may never change.
TEST(random_values_are_fixed) {
  CHECK_EQUAL(random_u64(0, 0), 0xE220A8397B1DCDAFULL);
  CHECK_EQUAL(random_u64(0, 1), 0x6E789E6AA1B965F4ULL);
}

TEST(random_streams_differ) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    for (std::uint64_t counter = 0; counter < 100; ++counter) seen.insert(random_u64(seed, counter));
  }
  CHECK_EQUAL(seen.size(), 10000U);
}

TEST(random_unit_is_uniform_and_never_zero) {
  constexpr int kCount = 100000;
  double sum = 0.0;
  int tenths[10] = {};
  for (int i = 0; i < kCount; ++i) {
    const double value = random_unit(42, static_cast<std::uint64_t>(i));
    CHECK(value > 0.0 && value <= 1.0);
    sum += value;
    ++tenths[value == 1.0 ? 9 : static_cast<int>(value * 10)];
  }
  CHECK(sum / kCount > 0.495 && sum / kCount < 0.505);
  for (const int count : tenths) CHECK(count > 9600 && count < 10400);
}
