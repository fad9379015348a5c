// Planted bugs that turn these tests red, each tried on its own: candidates that are counted in all lists in place of
// those probed, a frontier that keeps dearer steps of no more recall.
#include <vector>

#include "hopspan/error.h"
#include "index/list_calibration.h"
#include "test.h"

using hopspan::CorruptIndexError;
using hopspan::index::ListCalibration;
using hopspan::index::ListEffort;
using hopspan::index::ListMeter;
using hopspan::storage::ByteReader;
using hopspan::storage::ByteWriter;

namespace {

// Two neighbours are wanted: slot 7 in the first list, third by score; slot 9 in the third list, and best.
ListMeter metered() {
  ListMeter meter({2}, 4);
  const std::vector<ListMeter::Seen> seen = {{0.1F, 2, 9}, {0.2F, 3, 1}, {0.3F, 0, 2}, {0.4F, 0, 7}, {0.5F, 1, 3}};
  const std::uint32_t truth[] = {9, 7};
  meter.add(seen, truth);
  return meter;
}

ListCalibration made() {
  const ListCalibration::Frontier easy = {{2, 10, 0.5}, {4, 12, 0.9}, {16, 20, 0.99}};
  const ListCalibration::Frontier hard = {{8, 10, 0.5}, {16, 12, 0.9}, {64, 20, 0.99}};
  const ListCalibration::Frontier many = {{8, 100, 0.5}, {32, 120, 0.9}, {128, 200, 0.99}};
  return ListCalibration({10, 100}, {0.7}, {{easy, many}, {hard, many}});
}

}  // namespace

TEST(list_meter_tells_lists_and_candidates_apart) {
  const ListCalibration::Frontier frontier = metered().frontier(0, 1.0, 0.0);
  CHECK_EQUAL(frontier.size(), 2u);
  CHECK(frontier[0].probes == 1 && frontier[0].candidates == 2 && frontier[0].recall == 0.5);
  CHECK(frontier[1].probes == 3 && frontier[1].candidates == 3 && frontier[1].recall == 1.0);
}

TEST(list_meter_prefers_candidates_where_lists_are_dear) {
  ListMeter meter({1}, 2);
  const std::uint32_t truth[] = {5};
  meter.add({{0.1F, 0, 1}, {0.2F, 0, 2}, {0.3F, 0, 5}}, truth);
  meter.add({{0.1F, 1, 5}, {0.2F, 0, 2}}, truth);
  const ListCalibration::Frontier dear = meter.frontier(0, 100.0, 0.0);
  CHECK(dear[0].probes == 1 && dear[0].candidates == 1 && dear[0].recall == 0.0);
  CHECK(dear[1].probes == 1 && dear[1].candidates == 3 && dear[1].recall == 0.5);
  const ListCalibration::Frontier cheap = meter.frontier(0, 0.1, 0.0);
  CHECK(cheap[1].probes == 2 && cheap[1].candidates == 1 && cheap[1].recall == 0.5);
}

TEST(list_calibration_gives_what_was_measured_and_what_lies_between) {
  const ListCalibration calibration = made();
  CHECK_EQUAL(calibration.part(0.5), 0u);
  CHECK_EQUAL(calibration.part(0.9), 1u);
  const ListEffort exact = calibration.effort(0, 10, 0.9);
  CHECK(exact.probes == 4 && exact.candidates == 12);
  CHECK_EQUAL(calibration.effort(1, 10, 0.9).probes, 16u);
  const ListEffort middle = calibration.effort(0, 10, 0.95);
  CHECK(middle.probes > 4 && middle.probes < 16 && middle.candidates > 12 && middle.candidates < 20);
  const ListEffort beyond = calibration.effort(0, 10, 0.999);
  CHECK(beyond.probes > 16 && beyond.candidates > 20);
  const ListEffort between = calibration.effort(0, 30, 0.9);
  CHECK(between.probes > 4 && between.probes < 32 && between.candidates > 12 && between.candidates < 120);
  CHECK_EQUAL(calibration.effort(0, 200, 0.9).candidates, 240u);
  CHECK_EQUAL(calibration.candidates(10, 5), 20u);
  CHECK_EQUAL(calibration.candidates(10, 500), 20u);
}

TEST(list_calibration_comes_back_as_it_was_written) {
  ByteWriter writer;
  made().write(writer);
  ByteReader reader(writer.data(), writer.size(), "a calibration");
  const ListCalibration read = ListCalibration::read(reader);
  CHECK_EQUAL(read.parts(), 2u);
  CHECK_EQUAL(read.effort(1, 10, 0.9).probes, 16u);
  std::vector<std::byte> damaged(writer.data(), writer.data() + writer.size());
  damaged[damaged.size() - 1] = std::byte{0x7F};  // the last recall
  ByteReader again(damaged.data(), damaged.size(), "a calibration");
  CHECK_THROWS(CorruptIndexError, "not one that a build wrote", ListCalibration::read(again));
}
