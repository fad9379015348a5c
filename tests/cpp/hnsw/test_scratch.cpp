#include <cmath>
#include <limits>
#include <set>

#include "core/random.h"
#include "hnsw/scratch.h"
#include "test.h"

using namespace hopspan::hnsw;

TEST(hnsw_key_orders_by_distance_then_node) {
  const float inf = std::numeric_limits<float>::infinity();
  const float ascending[] = {-inf, -2.5f, -1e-30f, 0.0f, 1e-40f, 1.0f, 3e38f, inf};
  for (std::size_t i = 0; i + 1 < 8; ++i) CHECK(make_key(ascending[i], 7) < make_key(ascending[i + 1], 3));
  CHECK(make_key(1.0f, 3) < make_key(1.0f, 4));
  CHECK_EQUAL(make_key(-0.0f, 5), make_key(0.0f, 5));
  CHECK_EQUAL(make_key(std::nanf(""), 5), make_key(inf, 5));
  CHECK_EQUAL(make_key(-std::nanf(""), 5), make_key(inf, 5));
  CHECK_EQUAL(key_distance(make_key(-2.5f, 9)), -2.5f);
  CHECK_EQUAL(key_node(make_key(-2.5f, 0x7FFFFFFEu)), 0x7FFFFFFEu);
}

TEST(hnsw_pool_keeps_the_best_sorted_and_once) {
  Pool pool;
  pool.reset(20, 20);
  std::set<std::uint64_t> expected;
  for (std::uint64_t i = 0; i < 500; ++i) {
    const std::uint64_t random = hopspan::core::random_u64(1, i);
    const std::uint64_t key = make_key(static_cast<float>(random % 100), static_cast<std::uint32_t>(random >> 56));
    pool.insert(key);
    expected.insert(key);
    if (i % 7 == 0 && pool.has_open()) pool.take();
  }
  CHECK_EQUAL(pool.size(), std::size_t{20});
  auto next = expected.begin();
  for (std::size_t i = 0; i < 20; ++i) CHECK_EQUAL(pool[i] | 1, *next++ | 1);
}

TEST(hnsw_pool_takes_the_nearest_open_node) {
  Pool pool;
  pool.reset(3, 3);
  pool.insert(make_key(2, 20));
  pool.insert(make_key(3, 30));
  CHECK_EQUAL(pool.take(), 20u);
  pool.insert(make_key(1, 10));
  std::vector<std::uint32_t> next;
  pool.for_each_next(2, [&](std::uint32_t node) { next.push_back(node); });
  CHECK((next == std::vector<std::uint32_t>{10, 30}));
  CHECK_EQUAL(pool.take(), 10u);
  CHECK_EQUAL(pool.take(), 30u);
  CHECK(!pool.has_open());
  pool.insert(make_key(2, 20));  // expanded before, still known
  CHECK(!pool.has_open());
  pool.reopen([](std::uint32_t node) { return 40 - node; });
  CHECK_EQUAL(pool.take(), 30u);
}

TEST(hnsw_pool_keeps_more_than_it_expands) {
  Pool pool;
  pool.reset(2, 4);
  for (const std::uint32_t node : {4, 2, 5, 3, 1}) pool.insert(make_key(static_cast<float>(node), node));
  CHECK_EQUAL(pool.size(), 4u);
  CHECK_EQUAL(pool.take(), 1u);
  CHECK_EQUAL(pool.take(), 2u);
  CHECK(!pool.has_open());
  pool.insert(make_key(1.5F, 9));
  CHECK_EQUAL(pool.take(), 9u);
  CHECK(!pool.has_open());
}

TEST(hnsw_visited_never_invents_a_node) {
  Visited visited;
  visited.reset(10);
  std::set<std::uint32_t> seen;
  std::size_t forgotten = 0;
  for (std::uint64_t i = 0; i < 3000; ++i) {
    const std::uint32_t node = static_cast<std::uint32_t>(hopspan::core::random_u64(2, i) % 400);
    const bool fresh = seen.insert(node).second;
    const bool says_fresh = visited.insert(node);
    CHECK(says_fresh || !fresh);
    if (says_fresh && !fresh) ++forgotten;
  }
  CHECK(forgotten < 1500);
  visited.reset(10);
  CHECK(visited.insert(*seen.begin()));
}
