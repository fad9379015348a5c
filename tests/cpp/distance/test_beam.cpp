// The steps of a beam search, of every instruction set that runs here, against what beam.h says in the standard
// library's terms.
#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "distance/beam.h"
#include "distance/keys.h"
#include "distance/reference.h"
#include "test.h"

namespace hopspan::test {
namespace {

using distance::BeamTable;
using distance::kBeamPadding;
using distance::make_key;
using distance::Merged;
using Keys = std::vector<std::uint64_t>;

constexpr std::uint64_t kMark = 1;

template <typename F>
void for_each_beam(F&& f) {
  for (const char* isa : {"scalar", "avx2", "avx512", "neon"}) {
    if (const BeamTable* table = distance::find_beams(isa)) f(*table);
  }
}

// Few distances and few nodes, so that many keys are the same.
Keys random_keys(Generator& random, std::size_t count, std::uint32_t range) {
  Keys keys(count);
  for (std::uint64_t& key : keys)
    key = make_key(static_cast<float>(random.bits() % range), static_cast<std::uint32_t>(random.bits() % 4));
  return keys;
}

bool same(std::uint64_t a, std::uint64_t b) { return (a | kMark) == (b | kMark); }

// Sorted, distinct, some with a mark.
Keys known_keys(Generator& random, std::size_t count, std::uint32_t range) {
  Keys keys = random_keys(random, count, range);
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  for (std::uint64_t& key : keys) key |= random.bits() % 2;
  return keys;
}

void check_merge(const BeamTable& table, const Keys& known, Keys fresh) {
  Keys expected = known;
  for (const std::uint64_t key : fresh) {
    const auto is_it = [key](std::uint64_t other) { return same(key, other); };
    if (std::none_of(expected.begin(), expected.end(), is_it)) expected.push_back(key);
  }
  std::sort(expected.begin(), expected.end());
  const auto changed = std::mismatch(known.begin(), known.end(), expected.begin(), expected.end()).first;
  Keys keys = known;
  keys.resize(known.size() + fresh.size() + kBeamPadding);
  const std::size_t count = fresh.size();
  fresh.resize(count + kBeamPadding);
  const Merged merged = table.merge(keys.data(), known.size(), fresh.data(), count);
  CHECK_EQUAL(merged.size, expected.size());
  CHECK_EQUAL(merged.first, static_cast<std::size_t>(changed - known.begin()));
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK_EQUAL(keys[i], expected[i]);
}

// Rows as a graph has them: distinct nodes, some marked, the rest empty.
std::vector<std::uint32_t> random_row(Generator& random, std::size_t width, std::size_t degree, std::uint32_t size) {
  std::set<std::uint32_t> nodes;
  while (nodes.size() < degree) nodes.insert(static_cast<std::uint32_t>(random.bits() % size));
  std::vector<std::uint32_t> row(nodes.begin(), nodes.end());
  for (std::uint32_t& link : row) link |= random.bits() % 2 == 0 ? 0x80000000u : 0;
  row.resize(width, 0xFFFFFFFFu);
  return row;
}

struct Seen {
  std::vector<std::uint32_t> nodes = std::vector<std::uint32_t>(512, 0xFFFFFFFFu);
  distance::SeenTable table() { return {nodes.data(), 32 - 9}; }
  std::size_t place(std::uint32_t node) const { return (node * distance::kSeenFactor) >> (32 - 9); }
};

TEST(beam_merges_fresh_keys) {
  for_each_beam([](const BeamTable& table) {
    Generator random(1);
    for (const std::size_t size : {0, 1, 7, 8, 9, 30, 64, 65, 200, 700}) {
      for (const std::size_t count : {0, 1, 2, 8, 15, 63, 64, 65, 150}) {
        for (const std::uint32_t range : {2u, 40u, 100000u})
          check_merge(table, known_keys(random, size, range), random_keys(random, count, range));
      }
    }
  });
}

TEST(beam_merges_nothing_that_is_known) {
  for_each_beam([](const BeamTable& table) {
    Generator random(2);
    const Keys known = known_keys(random, 40, 1000);
    Keys fresh = known;
    for (std::uint64_t& key : fresh) key &= ~kMark;
    std::reverse(fresh.begin(), fresh.end());
    check_merge(table, known, fresh);
  });
}

TEST(beam_finds_the_keys_below_a_limit) {
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> distances = {
      3.0f, -0.0f, 0.0f,   std::numeric_limits<float>::quiet_NaN(), -inf, inf, -2.5f, 1e-40f, 5.0f,
      2.0f, 2.0f,  -1e30f, -std::numeric_limits<float>::quiet_NaN()};
  std::vector<std::uint32_t> nodes;
  for (std::size_t i = 0; i < distances.size(); ++i) nodes.push_back(0x7FFFFFF0u + static_cast<std::uint32_t>(i));
  for_each_beam([&](const BeamTable& table) {
    for (const std::uint64_t limit : {make_key(-inf, 0), make_key(2.0f, nodes[10]), make_key(inf, 0), UINT64_MAX}) {
      for (std::size_t count = 0; count <= distances.size(); ++count) {
        Keys expected;
        for (std::size_t i = 0; i < count; ++i) {
          if (make_key(distances[i], nodes[i]) < limit) expected.push_back(make_key(distances[i], nodes[i]));
        }
        Keys keys(count + kBeamPadding);
        keys.resize(table.keys_below(distances.data(), nodes.data(), count, limit, keys.data()));
        CHECK(keys == expected);
      }
    }
  });
}

TEST(beam_finds_unseen_nodes) {
  constexpr std::uint32_t kSize = 5000;
  for_each_beam([](const BeamTable& table) {
    Generator random(3);
    Seen seen;
    std::set<std::uint32_t> ever;
    for (int round = 0; round < 200; ++round) {
      const std::size_t width = 1 + random.bits() % 70;
      const auto row = random_row(random, width, random.bits() % (width + 1), kSize);
      const Seen before = seen;
      std::vector<std::uint32_t> nodes(width + kBeamPadding);
      nodes.resize(table.unseen(row.data(), width, kSize, seen.table(), nodes.data()));
      std::set<std::uint32_t> found(nodes.begin(), nodes.end());
      CHECK_EQUAL(found.size(), nodes.size());
      for (const std::uint32_t link : row) {
        if (link == 0xFFFFFFFFu) break;
        const std::uint32_t node = link & 0x7FFFFFFFu;
        if (ever.count(node) == 0) CHECK(found.count(node) == 1);
        if (found.count(node) == 0) CHECK_EQUAL(before.nodes[before.place(node)], node);
        CHECK(seen.nodes[seen.place(node)] != 0xFFFFFFFFu);
        ever.insert(node);
      }
      for (const std::uint32_t node : found)
        CHECK(std::find(row.begin(), row.end(), node) != row.end() ||
              std::find(row.begin(), row.end(), node | 0x80000000u) != row.end());
    }
    CHECK(ever.size() > 1000);
  });
}

TEST(beam_finds_bad_links) {
  for_each_beam([](const BeamTable& table) {
    for (const std::size_t at : {0, 1, 15, 16, 17, 32}) {
      for (const std::uint32_t bad : {100u, 0x7FFFFFFFu, 0x80000064u}) {
        std::vector<std::uint32_t> row(33);
        for (std::uint32_t i = 0; i < 33; ++i) row[i] = i;
        row[at] = bad;
        Seen seen;
        std::vector<std::uint32_t> nodes(33 + kBeamPadding);
        CHECK_EQUAL(table.unseen(row.data(), 33, 100, seen.table(), nodes.data()), distance::kBadLink);
      }
    }
  });
}

}  // namespace
}  // namespace hopspan::test
