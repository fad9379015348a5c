#include <atomic>
#include <thread>
#include <vector>

#include "spann/reader/page_cache.h"
#include "storage/container_bytes.h"
#include "test.h"

using hopspan::spann::pages::kPageBytes;
using hopspan::spann::reader::PageCache;
using hopspan::test::Bytes;
using hopspan::test::random_bytes;

namespace {

bool holds(const PageCache& cache, std::uint64_t page) {
  Bytes out(kPageBytes);
  return cache.copy(page, page + 1, out.data()) && out == random_bytes(kPageBytes, page);
}

std::size_t count(const PageCache& cache, std::uint64_t pages) {
  std::size_t held = 0;
  for (std::uint64_t page = 0; page < pages; ++page) held += holds(cache, page);
  return held;
}

}  // namespace

TEST(page_cache_without_a_budget_holds_nothing) {
  PageCache cache(0);
  CHECK(!cache.enabled());
  const Bytes page = random_bytes(kPageBytes, 5);
  cache.put(5, page.data());
  CHECK(!holds(cache, 5));
  CHECK_EQUAL(cache.capacity_bytes(), 0u);
}

TEST(page_cache_gives_back_what_was_put_and_stays_within_its_budget) {
  PageCache cache(1 << 20);
  for (std::uint64_t page = 0; page < 1000; ++page) cache.put(page, random_bytes(kPageBytes, page).data());
  const std::size_t held = count(cache, 1000);
  CHECK(held * kPageBytes <= 1 << 20);
  CHECK(held * kPageBytes > (1 << 20) * 3 / 4);
  CHECK(cache.capacity_bytes() <= 1 << 20);
}

TEST(page_cache_copies_a_run_or_nothing_at_all) {
  PageCache cache(1 << 20);
  for (const std::uint64_t page : {3, 4, 6}) cache.put(page, random_bytes(kPageBytes, page).data());
  Bytes out(2 * kPageBytes);
  CHECK(cache.copy(3, 5, out.data()));
  CHECK(Bytes(out.begin() + kPageBytes, out.end()) == random_bytes(kPageBytes, 4));
  CHECK(!cache.copy(5, 7, out.data()));
}

// Planted bug that turns it red: the hand takes the next slot, used or not.
TEST(page_cache_keeps_what_is_used) {
  PageCache cache(1 << 20);
  std::size_t kept = 0;
  for (std::uint64_t page = 0; page < 32; ++page) cache.put(page, random_bytes(kPageBytes, page).data());
  for (std::uint64_t page = 1000; page < 3000; ++page) {
    cache.put(page, random_bytes(kPageBytes, page).data());
    if (page % 20 == 0) kept = count(cache, 32);
  }
  CHECK_EQUAL(kept, 32u);
}

TEST(page_cache_from_many_threads) {
  PageCache cache(1 << 18);
  std::vector<Bytes> pages;
  for (std::uint64_t page = 0; page < 200; ++page) pages.push_back(random_bytes(kPageBytes, page));
  std::atomic<bool> right{true};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      Bytes out(kPageBytes);
      for (std::uint64_t i = 0; i < 5000; ++i) {
        const std::uint64_t page = hopspan::core::random_u64(static_cast<std::uint64_t>(t), i) % 200;
        if (!cache.copy(page, page + 1, out.data())) {
          cache.put(page, pages[page].data());
        } else if (out != pages[page]) {
          right = false;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(right);
}
