// Planted bugs that turn these tests red, each tried on its own: candidates that are counted in all lists in place of
// those probed, copies that count, the nearest copy in place of the mean, a unit without the offset, a unit that is the
// distance of a copy.
#include <cmath>
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

using hopspan::spann::Nearest;
using hopspan::spann::Seen;
using hopspan::spann::Survey;

namespace {

// 40 lists, each one further from the query.
std::vector<Nearest> forty_heads() {
  std::vector<Nearest> heads;
  for (std::uint32_t i = 0; i < 40; ++i) heads.push_back({static_cast<float>(i), i});
  return heads;
}

Survey surveyed(const std::vector<Nearest>& heads, const std::vector<Seen>& seen) {
  return {nullptr, heads.data(), heads.size(), hopspan::spann::kNoExclusion, seen};
}

ListCalibration made() {
  const ListCalibration::Frontier few = {{1.0F, 2, 3, 10, 0.5}, {2.0F, 4, 6, 12, 0.9}, {4.0F, 16, 24, 20, 0.99}};
  const ListCalibration::Frontier many = {
      {3.0F, 8, 9, 100, 0.5}, {6.0F, 32, 48, 120, 0.9}, {9.0F, 128, 200, 200, 0.99}};
  return ListCalibration({10, 100}, {few, many});
}

}  // namespace

// Slot 9 in the twentieth list, and best; slot 7 in the first list, third by score.
TEST(list_meter_tells_lists_and_candidates_apart) {
  const std::vector<Nearest> heads = forty_heads();
  const Survey survey = surveyed(heads, {{0.1F, 19, 9}, {0.2F, 30, 1}, {0.3F, 0, 2}, {0.4F, 0, 7}, {0.5F, 1, 3}});
  ListMeter meter({2}, 40);
  meter.choose_reaches({{survey, 0.0F}});
  const std::uint32_t truth[] = {9, 7};
  meter.add({survey, 0.0F}, truth);
  const ListCalibration::Frontier frontier = meter.frontier(0, 1.0);
  CHECK_EQUAL(frontier.size(), 2u);
  CHECK(frontier[0].lists == 16 && frontier[0].candidates == 2 && frontier[0].recall == 0.5);
  CHECK(frontier[1].lists == 20 && frontier[1].candidates == 3 && frontier[1].recall == 1.0);
  CHECK(std::fabs(frontier[1].reach - 19.0F / 0.4F) < 1e-4F);
}

// The same reach is fewer lists for the query whose nearest entry is near; the offset is part of its distance.
TEST(list_meter_goes_as_far_as_the_nearest_entries_ask_for) {
  const std::vector<Nearest> heads = forty_heads();
  const Survey near = surveyed(heads, {{-9.0F, 0, 5}, {-8.0F, 20, 6}}), far = surveyed(heads, {{-8.0F, 0, 6}});
  ListMeter meter({1}, 40);
  meter.choose_reaches({{near, 10.0F}});
  const std::uint32_t truth[] = {6};
  meter.add({near, 10.0F}, truth);
  meter.add({far, 10.0F}, truth);
  const ListCalibration::Step last = meter.frontier(0, 1.0).back();
  CHECK(last.recall == 1.0 && std::fabs(last.reach - 23.0F) < 1e-4F);
  CHECK(last.lists == 32 && last.most == 40);  // 24 of the one, all of the other
}

TEST(list_meter_counts_a_candidate_of_many_copies_once) {
  const std::vector<Nearest> heads = forty_heads();
  const Survey survey = surveyed(heads, {{1.0F, 20, 8}, {1.1F, 0, 8}, {1.2F, 1, 8}, {1.3F, 1, 4}, {1.4F, 2, 5}});
  ListMeter meter({1}, 40);
  meter.choose_reaches({{survey, 0.0F}});
  const std::uint32_t truth[] = {5};
  meter.add({survey, 0.0F}, truth);
  const ListCalibration::Frontier frontier = meter.frontier(0, 1.0);
  CHECK(frontier.back().candidates == 3 && frontier.back().lists == 16);
}

// By its nearest entry slot 8 would come first.
TEST(list_meter_takes_the_mean_of_copies_in_the_lists_that_are_looked_at) {
  const std::vector<Nearest> heads = forty_heads();
  const Survey survey = surveyed(heads, {{1.0F, 0, 8}, {1.4F, 1, 5}, {1.5F, 20, 4}, {2.0F, 2, 8}, {9.0F, 30, 5}});
  ListMeter meter({1}, 40);
  meter.choose_reaches({{survey, 0.0F}});
  const std::uint32_t truth[] = {5};
  meter.add({survey, 0.0F}, truth);
  const ListCalibration::Frontier frontier = meter.frontier(0, 1.0);
  CHECK(frontier.back().candidates == 1 && frontier.back().lists == 16);
}

TEST(list_meter_takes_the_distance_of_the_second_vector_and_not_of_a_copy) {
  const std::vector<Nearest> heads = forty_heads();
  const Survey survey = surveyed(heads, {{1.0F, 0, 8}, {2.0F, 1, 8}, {4.0F, 2, 5}, {5.0F, 20, 6}});
  ListMeter meter({2}, 40);
  meter.choose_reaches({{survey, 0.0F}});
  const std::uint32_t truth[] = {8, 6};
  meter.add({survey, 0.0F}, truth);
  const ListCalibration::Step last = meter.frontier(0, 1.0).back();
  CHECK(last.recall == 1.0 && last.lists >= 21);
  CHECK(std::fabs(last.reach - static_cast<float>(last.lists - 1) / 4.0F) < 0.5F);
}

TEST(list_meter_adds_up_lists_by_reach) {
  const std::vector<Nearest> heads = forty_heads();
  const Survey near = surveyed(heads, {{1.0F, 0, 5}, {1.5F, 15, 6}}),
               far = surveyed(heads, {{2.0F, 0, 5}, {3.0F, 30, 6}});
  ListMeter meter({1}, 40);
  meter.choose_reaches({{near, 0.0F}});
  const std::uint32_t truth[] = {6};
  meter.add({near, 0.0F}, truth);
  meter.add({far, 0.0F}, truth);
  const ListCalibration::Frontier frontier = meter.frontier(0, 1.0);
  const ListCalibration::Step& last = frontier.back();
  CHECK(last.recall == 1.0 && last.candidates == 2);
  CHECK(std::fabs(last.reach - 15.0F) < 1e-4F);  // 16 lists of the one and 31 of the other
  CHECK(last.lists == 24 && last.most == 31);
}

TEST(list_calibration_gives_what_was_measured_and_what_lies_between) {
  const ListCalibration calibration = made();
  const ListEffort exact = calibration.effort(10, 0.9);
  CHECK(exact.reach == 2.0F && exact.probes == 6 && exact.candidates == 12);
  const ListEffort middle = calibration.effort(10, 0.95);
  CHECK(middle.reach > 2.0F && middle.reach < 4.0F && middle.candidates > 12 && middle.candidates < 20);
  const ListEffort beyond = calibration.effort(10, 0.999);
  CHECK(beyond.reach > 4.0F && beyond.probes > 24 && beyond.candidates > 20);
  const ListEffort between = calibration.effort(30, 0.9);
  CHECK(between.reach > 2.0F && between.reach < 6.0F && between.candidates > 12 && between.candidates < 120);
  CHECK_EQUAL(calibration.effort(200, 0.9).candidates, 240u);
  CHECK_EQUAL(calibration.candidates(10, 5), 20u);
  CHECK_EQUAL(calibration.candidates(10, 500), 20u);
}

TEST(list_calibration_comes_back_as_it_was_written) {
  ByteWriter writer;
  made().write(writer);
  ByteReader reader(writer.data(), writer.size(), "a calibration");
  const ListCalibration read = ListCalibration::read(reader);
  CHECK_EQUAL(read.effort(10, 0.9).probes, 6u);
  CHECK_EQUAL(read.effort(100, 0.9).reach, 6.0F);
  std::vector<std::byte> damaged(writer.data(), writer.data() + writer.size());
  damaged[damaged.size() - 1] = std::byte{0x7F};  // the last recall
  ByteReader again(damaged.data(), damaged.size(), "a calibration");
  CHECK_THROWS(CorruptIndexError, "not one that a build wrote", ListCalibration::read(again));
}
