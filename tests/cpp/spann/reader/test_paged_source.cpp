// Planted bugs that turn these tests red, each tried on its own: no check of a page, a check with the number of another
// list, runs that go on over a page that nobody wants, and a window that gives pages out twice.
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "faults/fault_env.h"
#include "spann/pages/paged_file.h"
#include "spann/reader/paged_source.h"
#include "storage/atomic_file.h"
#include "storage/temporary_folder.h"
#include "test.h"

#if defined(__linux__)
#include <sys/wait.h>
#include <unistd.h>
#endif

using hopspan::CorruptIndexError;
using hopspan::IoError;
using hopspan::core::random_u64;
using hopspan::spann::ByteSource;
using hopspan::spann::FetchCost;
using hopspan::spann::pages::kPageBytes;
using hopspan::spann::reader::kWindowPages;
using hopspan::spann::reader::PagedLists;
using hopspan::spann::reader::PagedRows;
using hopspan::storage::ContainerReader;
using hopspan::storage::Env;
using hopspan::test::Bytes;
using hopspan::test::make_paged;
using hopspan::test::Paged;
using hopspan::test::paged_bytes;

namespace {

using Numbers = std::vector<std::uint32_t>;

std::shared_ptr<const ContainerReader> open(Env& env, const std::filesystem::path& path) {
  return std::make_shared<const ContainerReader>(env.open_direct(path));
}

// Fetches and compares; each string must come once.
bool fetches(const ByteSource& source, const Numbers& numbers, const std::vector<Bytes>& expected, FetchCost& cost) {
  std::vector<int> times(numbers.size());
  bool right = true;
  source.fetch(
      numbers.data(), numbers.size(),
      [&](std::size_t place, const std::byte* data, std::size_t size) {
        ++times[place];
        const Bytes& string = expected[numbers[place]];
        right = right && size == string.size() && reinterpret_cast<std::uintptr_t>(data) % 8 == 0 &&
                std::equal(string.begin(), string.end(), data);
      },
      cost);
  return right && std::all_of(times.begin(), times.end(), [](int n) { return n == 1; });
}

bool fetches(const ByteSource& source, const Numbers& numbers, const std::vector<Bytes>& expected) {
  FetchCost cost;
  return fetches(source, numbers, expected, cost);
}

Numbers all(std::size_t count) {
  Numbers numbers(count);
  for (std::size_t i = 0; i < count; ++i) numbers[i] = static_cast<std::uint32_t>(i);
  return numbers;
}

// `count` distinct numbers below `limit` in no order.
Numbers some(std::size_t count, std::size_t limit, std::uint64_t seed) {
  Numbers numbers = all(limit);
  for (std::size_t i = 0; i < limit; ++i) std::swap(numbers[i], numbers[random_u64(seed, i) % limit]);
  numbers.resize(count);
  return numbers;
}

struct Stored {
  explicit Stored(Paged made) : paged(std::move(made)) {
    folder.write("index", paged_bytes(paged));
    reader = open(Env::system(), folder.path() / "index");
  }
  Paged paged;
  TemporaryFolder folder;
  std::shared_ptr<const ContainerReader> reader;
};

}  // namespace

TEST(paged_lists_come_as_they_were_written) {
  const Stored stored(make_paged(300, 0, 0));
  const PagedLists lists(stored.reader, 0);
  CHECK_EQUAL(lists.size(), 300u);
  CHECK(fetches(lists, {}, stored.paged.lists));
  CHECK(fetches(lists, all(300), stored.paged.lists));
  for (std::uint64_t seed = 0; seed < 20; ++seed) CHECK(fetches(lists, some(16, 300, seed), stored.paged.lists));
}

TEST(paged_rows_come_as_they_were_written) {
  for (const std::size_t row_bytes : {1, 13, 404, 512, 3072, 4096, 9000}) {
    const Stored stored(make_paged(0, 700, row_bytes));
    const PagedRows rows(stored.reader, row_bytes, 700, 0);
    CHECK_EQUAL(rows.size(), 700u);
    CHECK(fetches(rows, all(700), stored.paged.rows));
    for (std::uint64_t seed = 0; seed < 10; ++seed) CHECK(fetches(rows, some(40, 700, seed), stored.paged.rows));
  }
}

TEST(paged_fetch_counts_its_cost_and_reads_neighbours_together) {
  Paged paged;
  for (std::size_t i = 0; i < 10; ++i) paged.lists.push_back(hopspan::test::random_bytes(2 * kPageBytes - 5, i));
  const Stored stored(std::move(paged));
  const PagedLists lists(stored.reader, 0);
  FetchCost cost;
  CHECK(fetches(lists, {7, 2, 3}, stored.paged.lists, cost));
  CHECK_EQUAL(cost.fetched, 3u);
  CHECK_EQUAL(cost.pages, 6u);
  CHECK_EQUAL(cost.bytes, 6 * kPageBytes);
  CHECK_EQUAL(cost.round_trips, 1u);
}

TEST(paged_rows_of_one_page_cost_one_page) {
  const Stored stored(make_paged(0, 100, 512));
  const PagedRows rows(stored.reader, 512, 100, 0);
  FetchCost cost;
  CHECK(fetches(rows, {5, 1, 90, 7}, stored.paged.rows, cost));
  CHECK_EQUAL(cost.pages, 2u);
}

TEST(paged_fetch_of_more_than_a_window_is_one_round_trip) {
  Paged paged;
  for (std::size_t i = 0; i < 90; ++i) paged.lists.push_back(hopspan::test::random_bytes(16 * kPageBytes, i));
  paged.lists[40] = hopspan::test::random_bytes((kWindowPages + 50) * kPageBytes + 1, 7);
  const Stored stored(std::move(paged));
  const PagedLists lists(stored.reader, 0);
  FetchCost cost;
  CHECK(fetches(lists, all(90), stored.paged.lists, cost));
  CHECK_EQUAL(cost.round_trips, 1u);
}

TEST(paged_fetch_from_its_cache_reads_nothing) {
  const Stored stored(make_paged(50, 0, 0));
  const PagedLists lists(stored.reader, 4 << 20);
  FetchCost cold;
  CHECK(fetches(lists, all(50), stored.paged.lists, cold));
  CHECK(cold.pages > 0);
  FetchCost warm;
  CHECK(fetches(lists, some(30, 50, 1), stored.paged.lists, warm));
  CHECK_EQUAL(warm.pages, 0u);
  CHECK_EQUAL(warm.round_trips, 0u);
  CHECK_EQUAL(warm.fetched, 30u);
}

TEST(paged_fetch_with_a_small_cache_is_right_from_many_threads) {
  const Stored stored(make_paged(100, 0, 0));
  const PagedLists lists(stored.reader, 256 * 1024);
  std::atomic<bool> right{true};
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint64_t n = 0; n < 50; ++n) {
        if (!fetches(lists, some(16, 100, t * 100 + n), stored.paged.lists)) right = false;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(right);
}

// Every page is damaged in turn: whoever needs it is told the list and the page, all others are served.
TEST(paged_lists_name_the_damaged_one_and_serve_the_others) {
  const Paged paged = make_paged(12, 0, 0);
  const Bytes good = paged_bytes(paged);
  const std::uint64_t start =
      ContainerReader(std::make_shared<hopspan::storage::MemoryFile>("index", good.data(), good.size()))
          .find("LST3")
          .offset;
  std::size_t page = 0;
  for (std::uint32_t list = 0; list < 12; ++list) {
    for (std::size_t end = page + (paged.lists[list].size() + kPageBytes - 1) / kPageBytes; page < end; ++page) {
      Bytes bad = good;
      bad[start + page * kPageBytes + random_u64(3, page) % kPageBytes] ^= std::byte{16};
      hopspan::faults::FaultEnv env;
      env.put("index", bad);
      const PagedLists lists(open(env, "index"), 1 << 20);
      const std::string named = "list " + std::to_string(list) + " is damaged in page " + std::to_string(page) + " ";
      FetchCost cost;
      for (int again = 0; again < 2; ++again) {
        const Numbers numbers = all(12);
        CHECK_THROWS(CorruptIndexError, named, lists.fetch(numbers.data(), 12, [](auto...) {}, cost));
      }
      for (std::uint32_t other = 0; other < 12; ++other) CHECK(other == list || fetches(lists, {other}, paged.lists));
    }
  }
}

TEST(paged_files_show_swapped_and_foreign_pages) {
  Paged paged;
  for (std::size_t i = 0; i < 4; ++i) paged.lists.push_back(hopspan::test::random_bytes(kPageBytes, i));
  for (std::size_t i = 0; i < 16; ++i) paged.rows.push_back(hopspan::test::random_bytes(1024, 50 + i));
  const Bytes good = paged_bytes(paged);
  const Bytes foreign = paged_bytes(paged, 78);  // the same content under another file id
  const ContainerReader whole(std::make_shared<hopspan::storage::MemoryFile>("index", good.data(), good.size()));
  for (const char* const tag : {"LST3", "ROWS"}) {
    const bool lists = std::strcmp(tag, "LST3") == 0;
    const auto begin = static_cast<std::ptrdiff_t>(whole.find(lists ? "LST3" : "ROWS").offset);
    Bytes swapped = good;
    std::swap_ranges(swapped.begin() + begin, swapped.begin() + begin + kPageBytes,
                     swapped.begin() + begin + kPageBytes);
    hopspan::faults::FaultEnv env;
    env.put("index", swapped);
    const auto reader = open(env, "index");
    FetchCost cost;
    const std::uint32_t first = 0;
    if (lists) {
      CHECK_THROWS(CorruptIndexError, "list 0", PagedLists(reader, 0).fetch(&first, 1, [](auto...) {}, cost));
    } else {
      CHECK_THROWS(CorruptIndexError, "vector 0",
                   PagedRows(reader, 1024, 16, 0).fetch(&first, 1, [](auto...) {}, cost));
    }
  }
  // Checksums of the other file, blocks and all, in this one's place.
  Bytes mixed = good;
  const auto sums = static_cast<std::ptrdiff_t>(whole.find("LSUM").offset);
  std::copy(foreign.begin() + sums, foreign.begin() + sums + 16, mixed.begin() + sums);
  hopspan::faults::FaultEnv env;
  env.put("index", mixed);
  CHECK_THROWS(CorruptIndexError, "LSUM", PagedLists(open(env, "index"), 0));
}

TEST(paged_sections_that_do_not_agree_are_refused) {
  const auto refuse = [](const hopspan::test::Contents& contents, const char* named) {
    hopspan::faults::FaultEnv env;
    env.put("index", hopspan::test::container_bytes(1, contents));
    CHECK_THROWS(CorruptIndexError, named, PagedLists(open(env, "index"), 0));
  };
  const Bytes page(kPageBytes);
  const Bytes huge(4, std::byte{0xFF});
  refuse({{"LST3", page}, {"LSUM", Bytes(4)}}, "LDIR");
  refuse({{"LST3", page}, {"LDIR", Bytes(4)}}, "LSUM");
  refuse({{"LST3", page}, {"LSUM", Bytes(8)}, {"LDIR", Bytes(4)}}, "LST3 has 1 pages, not 2");
  refuse({{"LST3", page}, {"LSUM", Bytes(4)}, {"LDIR", Bytes(4)}}, "LST3 has 1 pages, not 0");
  refuse({{"LST3", page}, {"LSUM", Bytes(4)}, {"LDIR", huge}}, "LST3 has 1 pages, not 1048576");
  refuse({{"LST3", Bytes(100)}, {"LSUM", Bytes(4)}, {"LDIR", Bytes(4)}}, "LST3");
  const Stored stored(make_paged(0, 10, 512));
  CHECK_THROWS(CorruptIndexError, "ROWS has 2 pages, not 3", PagedRows(stored.reader, 512, 17, 0));
}

// The index lives on: the next search is fine.
TEST(paged_fetch_passes_on_a_read_error_for_that_call_only) {
  const Paged paged = make_paged(60, 0, 0);
  hopspan::faults::FaultEnv env;
  env.put("index", paged_bytes(paged));
  const PagedLists lists(open(env, "index"), 0);
  for (std::size_t n = 0; n < 5; ++n) {
    env.fail_read_at(env.reads() + n, EIO);
    const Numbers numbers = some(16, 60, n);
    FetchCost cost;
    try {
      lists.fetch(numbers.data(), numbers.size(), [](auto...) {}, cost);
      CHECK(false);
    } catch (const IoError& error) {
      CHECK_EQUAL(error.code(), EIO);
    }
    CHECK(fetches(lists, numbers, paged.lists));
  }
}

TEST(paged_file_cut_off_while_it_is_open_is_an_error_for_the_lists_behind) {
  const Stored stored(make_paged(60, 0, 0));
  const PagedLists lists(stored.reader, 0);
  std::filesystem::resize_file(stored.folder.path() / "index", stored.reader->find("LST3").offset + 20 * kPageBytes);
  const Numbers numbers = all(60);
  FetchCost cost;
  CHECK_THROWS(CorruptIndexError, "past its end", lists.fetch(numbers.data(), 60, [](auto...) {}, cost));
  CHECK(fetches(lists, {0, 1, 2}, stored.paged.lists));
}

TEST(two_hundred_paged_files_open_at_once) {
  const Stored stored(make_paged(40, 0, 0));
  std::vector<std::unique_ptr<PagedLists>> open_lists;
  for (int i = 0; i < 200; ++i) {
    const auto reader = open(Env::system(), stored.folder.path() / "index");
    open_lists.push_back(std::make_unique<PagedLists>(reader, 0));
  }
  std::atomic<bool> right{true};
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 40; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint64_t i = t; i < 200; i += 40) {
        if (!fetches(*open_lists[i], some(16, 40, i), stored.paged.lists)) right = false;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(right);
}

#if defined(__linux__) && !defined(__SANITIZE_THREAD__)
TEST(paged_fetch_in_a_forked_child_and_in_its_parent) {
  const Stored stored(make_paged(40, 0, 0));
  const PagedLists lists(stored.reader, 1 << 20);
  CHECK(fetches(lists, some(16, 40, 1), stored.paged.lists));
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    _exit(fetches(lists, all(40), stored.paged.lists) ? 0 : 1);
  }
  int status = -1;
  CHECK(fetches(lists, all(40), stored.paged.lists));
  CHECK(child > 0 && waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
#endif
