#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/random.h"
#include "hopspan/error.h"
#include "index/early_stops.h"
#include "test.h"

namespace {

using namespace hopspan;
using index::EarlyStops;

constexpr std::size_t kNodes = 1000;

// Distances around queries in spaces of 2 to 12 dimensions, so that neighbours stand out more or less.
std::vector<std::vector<float>> walks(std::size_t queries = 60) {
  std::vector<std::vector<float>> all(queries);
  for (std::size_t q = 0; q < queries; ++q) {
    for (std::size_t i = 0; i < kNodes; ++i) {
      all[q].push_back(
          static_cast<float>(std::pow(core::random_unit(q, i), 2.0 / (2.0 + 10.0 * core::random_unit(99, q)))));
    }
    std::sort(all[q].begin(), all[q].end());
  }
  return all;
}

double mean_expanded(const std::vector<std::vector<float>>& all, const hnsw::Effort& effort) {
  std::size_t sum = 0;
  for (const std::vector<float>& walk : all) {
    const float farthest = std::max(walk[effort.stop.rank - 1], effort.stop.least) * effort.stop.factor;
    const auto end = std::upper_bound(walk.begin(), walk.end(), farthest);
    sum += std::min(static_cast<std::size_t>(end - walk.begin()), effort.width);
  }
  return static_cast<double>(sum) / static_cast<double>(all.size());
}

}  // namespace

TEST(early_stops_expand_about_ef_nodes_in_the_mean) {
  const auto all = walks();
  const EarlyStops stops(all);
  for (const std::size_t k : {1, 10, 100}) {
    for (std::size_t ef = k + k / 4 + 3; ef <= 128; ef += 7) {
      const hnsw::Effort effort = stops.effort(k, ef, 5, kNodes);
      CHECK(std::abs(mean_expanded(all, effort) / (static_cast<double>(ef) + 0.2 * static_cast<double>(ef - k)) - 1.0) <
            0.12);
      CHECK_EQUAL(effort.ef, ef);
      CHECK_EQUAL(effort.width, std::min(EarlyStops::kSpread * ef, kNodes));
      CHECK_EQUAL(effort.stop.rank, k);
      CHECK_EQUAL(effort.stop.kept, k + 5);
    }
  }
}

TEST(early_stops_lie_between_the_ranks_that_were_learnt) {
  const EarlyStops stops(walks());
  for (const auto& [low, high] : {std::pair<std::size_t, std::size_t>{1, 10}, {10, 100}}) {
    for (std::size_t k = low + 1; k < high; k += 3) {
      const float factor = stops.effort(k, 128, 0, kNodes).stop.factor;
      CHECK(factor < stops.effort(low, 128, 0, kNodes).stop.factor);
      CHECK(factor > stops.effort(high, 128, 0, kNodes).stop.factor);
    }
  }
  CHECK_EQUAL(stops.effort(200, 256, 0, kNodes).stop.factor, stops.effort(100, 128, 0, kNodes).stop.factor);
  CHECK(stops.effort(10, 900, 0, kNodes).stop.factor > stops.effort(10, 250, 0, kNodes).stop.factor);
}

TEST(early_stops_are_none_where_everything_has_to_be_seen) {
  CHECK_EQUAL(EarlyStops().effort(10, 50, 0, kNodes).stop.rank, std::size_t{0});
  CHECK_EQUAL(EarlyStops(walks()).effort(10, kNodes, 0, kNodes).stop.rank, std::size_t{0});
  auto same = walks();
  for (auto& walk : same) std::fill_n(walk.begin(), 20, 0.0F);
  CHECK(EarlyStops(same).empty());
  CHECK(EarlyStops({{1.0F, 2.0F, 3.0F}}).empty());
}

TEST(early_stops_come_back_from_their_bytes_and_from_no_others) {
  const EarlyStops stops(walks());
  storage::ByteWriter written;
  stops.write(written);
  storage::ByteReader reader(written.data(), written.size(), "stops");
  storage::ByteWriter again;
  EarlyStops::read(reader).write(again);
  CHECK(std::vector<std::byte>(again.data(), again.data() + again.size()) ==
        std::vector<std::byte>(written.data(), written.data() + written.size()));
  const auto refuses = [&](std::size_t offset, auto value) {
    std::vector<std::byte> bytes(written.data(), written.data() + written.size());
    std::memcpy(bytes.data() + offset, &value, sizeof value);
    storage::ByteReader bad(bytes.data(), bytes.size(), "stops");
    CHECK_THROWS(CorruptIndexError, "", EarlyStops::read(bad));
  };
  constexpr std::size_t kK = 8, kLeast = 12, kCount = 16, kFactor = 24;
  refuses(kK, std::uint32_t{0});
  refuses(kK, std::uint32_t{10});
  refuses(kLeast, 0.0F);
  refuses(kLeast, std::nanf(""));
  refuses(kCount, std::uint64_t{0});
  refuses(kFactor, 0.5F);
  refuses(kFactor, 2000.0F);
  storage::ByteReader cut(written.data(), written.size() - 1, "stops");
  CHECK_THROWS(CorruptIndexError, "", EarlyStops::read(cut));
}
