// Rows change in one piece beside threads that read them.
// Planted bugs that turn this test red, each tried on its own: new_rows.h lets others in between the halves of a row,
// and leaves out the first row; and, in one run of three, writes without the mutex.
#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <thread>

#include "hnsw/new_rows.h"
#include "test.h"

using namespace hopspan;

TEST(hnsw_new_rows_come_in_one_piece) {
  constexpr std::size_t kRows = 500, kWidth = 1000;
  std::vector<std::uint32_t> links(kRows * kWidth);
  core::FairMutex mutex;
  std::atomic<bool> done{false};
  std::atomic<std::size_t> looks{0}, torn{0};
  const auto look = [&] {
    while (!done) {
      const std::shared_lock<core::FairMutex> lock(mutex);
      for (std::size_t row = 0; row < kRows; ++row) torn += links[row * kWidth] != links[(row + 1) * kWidth - 1];
      ++looks;
    }
  };
  std::thread readers[] = {std::thread(look), std::thread(look)};
  hnsw::NewRows rows;
  for (std::uint32_t round = 1; round <= 300; ++round) {
    rows.clear(kWidth);
    for (std::uint32_t node = 0; node < kRows; ++node) {
      rows.add(node);
      std::fill_n(rows.row(node), kWidth, round);
    }
    const std::lock_guard<core::FairMutex> lock(mutex);
    rows.write(links.data(), &mutex);
    CHECK(std::all_of(links.begin(), links.end(), [&](std::uint32_t link) { return link == round; }));
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  CHECK(looks > 0);
  CHECK_EQUAL(torn.load(), std::size_t{0});
}
