#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "hopspan/error.h"
#include "index/calibration.h"
#include "test.h"

namespace {

using namespace hopspan;
using index::Calibration;

constexpr std::size_t kSize = 10000;

Calibration example() {
  return Calibration(kSize, {1, 10, 100}, {10, 20, 40, 80, 160},
                     {{0.90, 0.95, 0.99, 0.999, 0.9995}, {0.80, 0.90, 0.96, 0.99, 0.995}, {0, 0, 0, 0, 0.97}});
}

Calibration parse(const storage::ByteWriter& bytes) {
  storage::ByteReader reader(bytes.data(), bytes.size(), "the calibration");
  return Calibration::read(reader);
}

void write_counts(storage::ByteWriter& writer, std::vector<std::uint32_t> ks, std::vector<std::uint32_t> efforts,
                  std::vector<double> recalls, std::uint64_t size = kSize) {
  writer.u64(size);
  writer.count(ks.size());
  for (const std::uint32_t k : ks) writer.u32(k);
  writer.count(efforts.size());
  for (const std::uint32_t effort : efforts) writer.u32(effort);
  for (const double recall : recalls) writer.f64(recall);
}

}  // namespace

TEST(index_calibration_finds_the_effort_of_a_recall) {
  const Calibration table = example();
  CHECK_EQUAL(table.effort(10, 0.90, kSize), std::size_t{20});
  CHECK_EQUAL(table.effort(10, 0.99, kSize), std::size_t{80});
  CHECK_EQUAL(table.effort(10, 0.5, kSize), std::size_t{10});
  CHECK_EQUAL(table.effort(1, 0.95, kSize), std::size_t{20});
  // Half way between two measurements, 0.10 and 0.04 missed, on logarithmic scales: 20 * sqrt(2), or 28.3.
  CHECK_EQUAL(table.effort(10, 1.0 - std::sqrt(0.10 * 0.04), kSize), std::size_t{28});
}

TEST(index_calibration_interpolates_and_extends_k) {
  const Calibration table = example();
  const std::size_t at_10 = table.effort(10, 0.95, kSize), at_100 = table.effort(100, 0.95, kSize);
  std::size_t before = at_10;
  for (const std::size_t k : {15, 30, 60, 90}) {
    const std::size_t effort = table.effort(k, 0.95, kSize);
    CHECK(effort > before && effort < at_100 && effort >= k);
    before = effort;
  }
  CHECK_EQUAL(table.effort(300, 0.95, kSize), 3 * at_100);
}

TEST(index_calibration_extrapolates_beyond_its_efforts) {
  const Calibration table = example();
  // From 80 to 160 the missed part halves.
  const std::size_t effort = table.effort(10, 0.9975, kSize);
  CHECK(effort == 320 || effort == 321);
  CHECK_EQUAL(table.effort(10, 1.0 - 1e-12, kSize), kSize);
  CHECK_EQUAL(Calibration(kSize, {10}, {16}, {{1.0}}).effort(10, 1.0 - 1e-6, kSize), std::size_t{16});
}

TEST(index_calibration_stays_between_k_and_the_size) {
  const Calibration table = example();
  CHECK_EQUAL(Calibration(kSize, {1}, {1}, {{0.9}}).effort(19, 0.01, kSize), std::size_t{19});
  CHECK_EQUAL(Calibration(kSize, {1, 100}, {1, 50}, {{0.9, 0.9}, {0.0, 0.0}}).effort(100, 0.01, kSize),
              std::size_t{100});
  CHECK_EQUAL(table.effort(500, 0.99, 90), std::size_t{90});
  CHECK_EQUAL(table.effort(10, 0.99, 50), std::size_t{50});
  CHECK_EQUAL(Calibration().effort(10, 0.5, 700), std::size_t{700});
  CHECK_EQUAL(Calibration().effort(10, 0.5, 0), std::size_t{0});
}

TEST(index_calibration_asks_more_of_an_index_that_has_grown) {
  CHECK(example().effort(10, 0.90, 2 * kSize) > std::size_t{20});
  CHECK_EQUAL(example().effort(10, 0.90, kSize / 2), std::size_t{20});
}

TEST(index_calibration_never_falls_with_effort) {
  const Calibration table(kSize, {10}, {10, 20, 40}, {{0.92, 0.90, 0.95}});
  CHECK_EQUAL(table.effort(10, 0.91, kSize), std::size_t{10});
}

TEST(index_calibration_survives_writing) {
  storage::ByteWriter bytes;
  example().write(bytes);
  const Calibration again = parse(bytes);
  CHECK(!again.empty() && again.size() == kSize);
  for (const double recall : {0.3, 0.9, 0.95, 0.99, 0.9999}) {
    for (const std::size_t k : {1, 7, 10, 50, 100, 200}) {
      CHECK_EQUAL(again.effort(k, recall, kSize), example().effort(k, recall, kSize));
    }
  }
  storage::ByteWriter none;
  Calibration().write(none);
  CHECK(parse(none).empty());
}

TEST(index_calibration_refuses_other_bytes) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto refused = [](std::vector<std::uint32_t> ks, std::vector<std::uint32_t> efforts,
                          std::vector<double> recalls, std::uint64_t size = kSize) {
    storage::ByteWriter bytes;
    write_counts(bytes, std::move(ks), std::move(efforts), std::move(recalls), size);
    try {
      parse(bytes);
    } catch (const CorruptIndexError&) {
      return true;
    }
    return false;
  };
  CHECK(!refused({1, 2}, {5}, {0.5, 0.6}));
  CHECK(refused({2, 1}, {5}, {0.5, 0.6}));
  CHECK(refused({0, 1}, {5}, {0.5, 0.6}));
  CHECK(refused({1}, {5, 5}, {0.5, 0.6}));
  CHECK(refused({1}, {0, 5}, {0.5, 0.6}));
  CHECK(refused({1}, {4, 5}, {0.7, 0.6}));
  CHECK(refused({1}, {4, 5}, {0.7, 1.1}));
  CHECK(refused({1}, {4, 5}, {-0.1, 0.5}));
  CHECK(refused({1}, {4, 5}, {0.1, nan}));
  CHECK(refused({1}, {4, 5}, {0.1}));
  CHECK(refused({1}, {4}, {0.1, 0.2}));
  CHECK(refused({1}, {}, {}));
  CHECK(refused({}, {1}, {}));
  CHECK(refused({1}, {4}, {0.5}, 0));
}
