// Searches beside a change: they see what was there before it, or what is there after it.
// Planted bugs that turn these tests red, each tried on its own: store.cpp gives the ids before the vectors are in the
// graph; new_rows.h leaves out the first row.
#include <atomic>
#include <thread>
#include <vector>

#include "index/results.h"
#include "index/store.h"
#include "test.h"

namespace {

using namespace hopspan;
using index::Store;
using test::make_vectors;
using test::options_for;
using test::Results;
using test::search;
using test::Vectors;
using test::with_ef;

constexpr std::size_t kDim = 12;
constexpr std::size_t kCount = 2000;

std::vector<std::int64_t> ids_from(std::int64_t first, std::size_t count) {
  std::vector<std::int64_t> ids;
  for (std::size_t i = 0; i < count; ++i) ids.push_back(first + static_cast<std::int64_t>(i));
  return ids;
}

// Calls `change` with options whose progress callback finds `expected`; returns how often it was called.
template <typename Change>
std::size_t look_meanwhile(const Store& store, const MatrixView& queries, const Results& expected, Change&& change) {
  std::size_t calls = 0;
  AddOptions options;
  options.threads = 1;
  options.progress = [&](std::size_t, std::size_t) {
    ++calls;
    CHECK(search(store, queries, with_ef(10, 2 * kCount)).ids == expected.ids);
  };
  change(options);
  return calls;
}

}  // namespace

TEST(store_is_searched_as_it_was_while_vectors_come) {
  const Vectors data = make_vectors(DType::kFloat32, 2 * kCount, kDim, 1);
  const MatrixView queries = data.slice(0, 5);
  Store store(options_for(Kind::kHnsw, kDim));
  store.add(data.slice(0, kCount), nullptr, {});
  const Results before = search(store, queries, with_ef(10, 2 * kCount));
  const std::vector<std::int64_t> ids = ids_from(kCount / 2, kCount);  // half of them known
  const auto add = [&](const AddOptions& options) { store.add(data.slice(kCount, kCount), ids.data(), options); };
  CHECK(look_meanwhile(store, queries, before, add) > 0);
  Store direct(options_for(Kind::kFlat, kDim));
  direct.add(data.slice(0, kCount), nullptr, {});
  direct.add(data.slice(kCount, kCount), ids.data(), {});
  CHECK(search(store, queries, with_ef(10, 2 * kCount)).ids == search(direct, queries, with_ef(10, 2 * kCount)).ids);
}

TEST(store_is_searched_without_what_goes_while_it_goes) {
  const Vectors data = make_vectors(DType::kFloat32, kCount, kDim, 1);
  const MatrixView queries = data.slice(0, 5);
  for (const std::size_t count : {kCount / 5, kCount * 3 / 5}) {
    Store store(options_for(Kind::kHnsw, kDim)), left(options_for(Kind::kFlat, kDim));
    store.add(data.view(), nullptr, {});
    left.add(data.view(), nullptr, {});
    const std::vector<std::int64_t> ids = ids_from(1, count);
    left.remove(ids.data(), ids.size(), {});
    const auto remove = [&](const AddOptions& options) { store.remove(ids.data(), ids.size(), options); };
    CHECK(look_meanwhile(store, queries, search(left, queries, with_ef(10, 2 * kCount)), remove) > 0);
    store.check(true);
  }
}

// Eight vectors lie together, and are replaced together.
TEST(store_is_searched_by_many_threads_beside_one_that_changes_it) {
  const Vectors data = make_vectors(DType::kFloat32, kCount, kDim, 1);
  Store store(options_for(Kind::kHnsw, kDim));
  store.add(data.view(), nullptr, {});
  const std::vector<std::int64_t> ids = ids_from(kCount, 8);
  const auto move_to = [&](float place) {
    const std::vector<float> rows(8 * kDim, 100 + place);
    store.add({rows.data(), 8, kDim, DType::kFloat32}, ids.data(), {});
  };
  move_to(0);
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      const std::vector<float> place(kDim, 100);
      while (!done) {
        const Results found = search(store, {place.data(), 1, kDim, DType::kFloat32}, with_ef(8, 100));
        for (std::size_t i = 0; i < 8; ++i) wrong += found.ids[i] != ids[i] || found.distances[i] != found.distances[0];
        wrong += !store.contains(ids[3]);
      }
    });
  }
  for (int round = 1; round <= 60; ++round) {
    move_to(static_cast<float>(round));
    const std::vector<std::int64_t> some = ids_from(round * 30, 30);
    store.remove(some.data(), some.size(), {});
    if (round % 2 == 0) store.add(data.slice(round * 30, 30), some.data(), {});
    if (round % 20 == 0) store.tune({nullptr, 0, kDim, DType::kFloat32}, {});
    if (round % 20 == 10) store.to_bytes();
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
  CHECK_EQUAL(wrong.load(), 0);
  store.check(true);
}
