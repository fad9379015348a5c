#include "index/list_calibration.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

#include "hopspan/error.h"

namespace hopspan::index {
namespace {

using Frontier = ListCalibration::Frontier;
using Step = ListCalibration::Step;

constexpr double kLeastMissed = 1e-4;
constexpr double kReachSlope = 0.25;  // of log(reach) against log(lists)
constexpr double kMostBeyond = 4.0;   // times the effort
constexpr double kSlope = 0.5;        // of log(missed) against log(effort), beyond what was measured

double missed(double recall) { return std::max(1.0 - recall, kLeastMissed); }

double between(double low, double high, double share) { return low + (high - low) * share; }

ListEffort mixed(const ListEffort& low, const ListEffort& high, double share) {
  const auto mix = [&](std::size_t a, std::size_t b) {
    return static_cast<std::size_t>(std::ceil(between(static_cast<double>(a), static_cast<double>(b), share)));
  };
  return {static_cast<float>(between(static_cast<double>(low.reach), static_cast<double>(high.reach), share)),
          mix(low.probes, high.probes), mix(low.candidates, high.candidates)};
}

ListEffort scaled(const ListEffort& effort, double factor) {
  return {static_cast<float>(static_cast<double>(effort.reach) * std::pow(factor, kReachSlope)),
          static_cast<std::size_t>(std::ceil(static_cast<double>(effort.probes) * factor)),
          static_cast<std::size_t>(std::ceil(static_cast<double>(effort.candidates) * factor))};
}

ListEffort effort_of(const Step& step) { return {step.reach, step.most, step.candidates}; }

// What is missed falls about as a power of the effort.
ListEffort effort_on(const Frontier& frontier, double recall) {
  const auto next = std::lower_bound(frontier.begin(), frontier.end(), recall,
                                     [](const Step& step, double wanted) { return step.recall < wanted; });
  if (next == frontier.begin()) return effort_of(*next);
  const Step& low = *(next - 1);
  if (next == frontier.end()) {
    const double more = std::pow(missed(low.recall) / missed(recall), 1.0 / kSlope);
    return scaled(effort_of(low), std::min(more, kMostBeyond));
  }
  const double share =
      std::log(missed(low.recall) / missed(recall)) / std::log(missed(low.recall) / missed(next->recall));
  return mixed(effort_of(low), effort_of(*next), share);
}

bool good(const Frontier& frontier) {
  double recall = -1.0;
  for (const Step& step : frontier) {
    if (step.most == 0 || step.candidates == 0 || !(step.reach >= 0.0F) || !std::isfinite(step.reach)) return false;
    if (!(step.recall > recall) || !(step.recall <= 1.0)) return false;
    recall = step.recall;
  }
  return !frontier.empty();
}

// 1, 2, ... 8, 10, 12, 14, 16, 20, ... up to a limit, which is the last.
std::vector<std::uint32_t> spread(std::uint32_t limit) {
  std::vector<std::uint32_t> values;
  std::uint32_t step = 1;
  for (std::uint32_t value = 1; value < limit; value += step) {
    values.push_back(value);
    if (value >= 8 * step) step *= 2;
  }
  values.push_back(limit);
  return values;
}

constexpr std::uint32_t kMostCandidates = 32;  // times k
constexpr std::size_t kMostOfMedian = 3;       // lists of a query, of those that the one in the middle looks at

// As a search has it after its first lists.
float distance_unit(const std::vector<spann::Seen>& seen, std::size_t k, float offset) {
  std::vector<std::uint32_t> vectors;
  for (const spann::Seen& entry : seen) {
    if (entry.list >= spann::kFirstLists) continue;
    if (std::find(vectors.begin(), vectors.end(), entry.slot) != vectors.end()) continue;
    vectors.push_back(entry.slot);
    if (vectors.size() == k) return std::fabs(entry.distance + offset);
  }
  return std::numeric_limits<float>::infinity();
}

// The vectors that are seen in the first lists, as a search has them.
void merge_copies(const std::vector<spann::Seen>& by_slot, std::uint32_t lists, std::vector<spann::Found>& out) {
  out.clear();
  for (auto entry = by_slot.begin(); entry != by_slot.end();) {
    spann::Merged merged{0.0F, 0, entry->slot};
    for (; entry != by_slot.end() && entry->slot == merged.slot; ++entry) {
      if (entry->list >= lists) continue;
      merged.sum += entry->distance;
      ++merged.entries;
    }
    if (merged.entries != 0) out.push_back(merged.mean());
  }
}

// How many of all come before each of some, which are in order.
std::vector<std::size_t> ranks_among(const std::vector<spann::Found>& all, const std::vector<spann::Found>& some) {
  std::vector<std::size_t> ranks(some.size() + 1, 0);
  for (const spann::Found& one : all) {
    ++ranks[static_cast<std::size_t>(std::upper_bound(some.begin(), some.end(), one) - some.begin())];
  }
  ranks.pop_back();
  for (std::size_t i = 1; i < ranks.size(); ++i) ranks[i] += ranks[i - 1];
  return ranks;
}

}  // namespace

ListCalibration::ListCalibration(std::vector<std::uint32_t> ks, std::vector<Frontier> frontiers)
    : ks_(std::move(ks)), frontiers_(std::move(frontiers)) {}

ListEffort ListCalibration::effort(std::size_t k, double recall) const {
  const std::size_t j = static_cast<std::size_t>(std::lower_bound(ks_.begin(), ks_.end(), k) - ks_.begin());
  if (j == ks_.size()) {
    const ListEffort last = effort_on(frontiers_[j - 1], recall);
    const ListEffort more = scaled(last, static_cast<double>(k) / ks_[j - 1]);
    return {last.reach, more.probes, more.candidates};
  }
  const ListEffort high = effort_on(frontiers_[j], recall);
  if (j == 0 || ks_[j] == k) return high;
  const double share = static_cast<double>(k - ks_[j - 1]) / static_cast<double>(ks_[j] - ks_[j - 1]);
  return mixed(effort_on(frontiers_[j - 1], recall), high, share);
}

std::size_t ListCalibration::candidates(std::size_t k, std::size_t probes) const {
  std::size_t j = static_cast<std::size_t>(std::lower_bound(ks_.begin(), ks_.end(), k) - ks_.begin());
  j = std::min(j, ks_.size() - 1);
  const Frontier& frontier = frontiers_[j];
  const auto next =
      std::find_if(frontier.begin(), frontier.end(), [&](const Step& step) { return step.lists >= probes; });
  const double most = (next == frontier.end() ? frontier.back() : *next).candidates;
  return static_cast<std::size_t>(std::ceil(most * std::max(1.0, static_cast<double>(k) / ks_[j])));
}

void ListCalibration::write(storage::ByteWriter& writer) const {
  writer.count(ks_.size());
  for (const std::uint32_t k : ks_) writer.u32(k);
  for (const Frontier& frontier : frontiers_) {
    writer.count(frontier.size());
    for (const Step& step : frontier) {
      writer.f32(step.reach);
      writer.u32(step.lists);
      writer.u32(step.most);
      writer.u32(step.candidates);
      writer.f64(step.recall);
    }
  }
}

ListCalibration ListCalibration::read(storage::ByteReader& reader) {
  constexpr std::size_t kStepBytes = 4 * sizeof(std::uint32_t) + sizeof(double);
  ListCalibration table;
  table.ks_.resize(reader.count(sizeof(std::uint32_t)));
  for (std::uint32_t& k : table.ks_) k = reader.u32();
  bool is_good = std::is_sorted(table.ks_.begin(), table.ks_.end()) && (table.ks_.empty() || table.ks_[0] > 0);
  for (std::size_t j = 0; j < table.ks_.size() && is_good; ++j) {
    Frontier frontier(reader.count(kStepBytes));
    for (Step& step : frontier) step = {reader.f32(), reader.u32(), reader.u32(), reader.u32(), reader.f64()};
    is_good = good(frontier);
    table.frontiers_.push_back(std::move(frontier));
  }
  if (!is_good) throw CorruptIndexError("the calibration is not one that a build wrote");
  reader.finish();
  return table;
}

ListMeter::ListMeter(std::vector<std::uint32_t> ks, std::size_t lists)
    : ks_(std::move(ks)),
      places_(spread(static_cast<std::uint32_t>(lists))),
      most_(spread(kMostCandidates * ks_.back())),
      levels_(ks_.size() * places_.size()),
      hits_(levels_.size() * most_.size()) {}

void ListMeter::choose_reaches(const std::vector<Query>& some) {
  for (std::size_t j = 0; j < ks_.size(); ++j) {
    float last = 0.0F;
    for (std::size_t p = 0; p < places_.size(); ++p) {
      std::vector<float> reaches;
      for (const Query& query : some) {
        const float unit = distance_unit(query.survey.seen, ks_[j], query.offset);
        const float apart = query.survey.heads[places_[p] - 1].distance - query.survey.heads[0].distance;
        if (unit > 0.0F) reaches.push_back(apart / unit);
      }
      if (!reaches.empty()) {
        const auto middle = reaches.begin() + static_cast<std::ptrdiff_t>(reaches.size() / 2);
        std::nth_element(reaches.begin(), middle, reaches.end());
        last = std::max(last, *middle);
      }
      levels_[j * places_.size() + p].reach = last;
    }
  }
}

void ListMeter::add(const Query& query, const std::uint32_t* truth) {
  for (std::size_t j = 0; j < ks_.size(); ++j) add_one(j, query, truth);
  ++queries_;
}

void ListMeter::add_one(std::size_t k_index, const Query& query, const std::uint32_t* truth) {
  Level* const levels = &levels_[k_index * places_.size()];
  const spann::Survey& survey = query.survey;
  const float unit = distance_unit(survey.seen, ks_[k_index], query.offset);
  std::vector<std::uint32_t> lists;
  for (std::size_t p = 0; p < places_.size(); ++p) {
    const std::size_t most = std::max(spann::kFirstLists, kMostOfMedian * places_[p]);
    const std::size_t probes = std::min(survey.probes, most);
    lists.push_back(static_cast<std::uint32_t>(spann::lists_within(survey.heads, probes, levels[p].reach * unit)));
    levels[p].lists += lists.back();
    levels[p].most = std::max(levels[p].most, lists.back());
  }
  std::vector<spann::Seen> by_slot = survey.seen;
  std::sort(by_slot.begin(), by_slot.end(), [](const spann::Seen& a, const spann::Seen& b) {
    return a.slot < b.slot || (a.slot == b.slot && a.list < b.list);
  });
  const std::vector<std::uint32_t> found = hits(ks_[k_index], by_slot, truth, lists);
  std::uint64_t* sum = &hits_[k_index * places_.size() * most_.size()];
  for (std::size_t p = 0; p < places_.size(); ++p) {
    std::uint64_t so_far = 0;
    for (std::size_t c = 0; c < most_.size(); ++c, ++sum) {
      so_far += found[p * most_.size() + c];
      *sum += so_far;
    }
  }
}

std::vector<std::uint32_t> ListMeter::hits(std::size_t k, const std::vector<spann::Seen>& by_slot,
                                           const std::uint32_t* truth, const std::vector<std::uint32_t>& lists) const {
  std::vector<std::uint32_t> wanted(truth, truth + k);
  std::sort(wanted.begin(), wanted.end());
  std::vector<std::uint32_t> hits(lists.size() * most_.size(), 0);
  std::vector<spann::Found> all, true_ones;
  for (std::size_t p = 0; p < lists.size(); ++p) {
    merge_copies(by_slot, lists[p], all);
    true_ones.clear();
    std::copy_if(all.begin(), all.end(), std::back_inserter(true_ones),
                 [&](const spann::Found& one) { return std::binary_search(wanted.begin(), wanted.end(), one.slot); });
    std::sort(true_ones.begin(), true_ones.end());
    for (const std::size_t rank : ranks_among(all, true_ones)) {
      const auto enough = std::upper_bound(most_.begin(), most_.end(), rank);
      if (enough != most_.end()) ++hits[p * most_.size() + static_cast<std::size_t>(enough - most_.begin())];
    }
  }
  return hits;
}

ListCalibration::Frontier ListMeter::frontier(std::size_t k_index, double list_pages) const {
  struct Point {
    double cost;
    Step step;
  };
  std::vector<Point> points;
  const double k = ks_[k_index], queries = static_cast<double>(queries_);
  for (std::size_t p = 0; p < places_.size(); ++p) {
    const Level& level = levels_[k_index * places_.size() + p];
    const double lists = static_cast<double>(level.lists) / queries;
    for (std::size_t c = 0; c < most_.size(); ++c) {
      if (most_[c] < ks_[k_index]) continue;
      const std::uint64_t found = hits_[(k_index * places_.size() + p) * most_.size() + c];
      const double recall = static_cast<double>(found) / (k * queries);
      points.push_back({lists * list_pages + most_[c],
                        {level.reach, static_cast<std::uint32_t>(std::ceil(lists)), level.most, most_[c], recall}});
    }
  }
  std::stable_sort(points.begin(), points.end(), [](const Point& a, const Point& b) { return a.cost < b.cost; });
  Frontier frontier;
  for (const Point& point : points) {
    if (frontier.empty() || point.step.recall > frontier.back().recall) frontier.push_back(point.step);
  }
  return frontier;
}

}  // namespace hopspan::index
