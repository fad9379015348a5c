#include "index/list_calibration.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "hopspan/error.h"

namespace hopspan::index {
namespace {

using Frontier = ListCalibration::Frontier;
using Step = ListCalibration::Step;

constexpr double kLeastMissed = 1e-4;
constexpr double kSlope = 0.5;  // of log(missed) against log(effort), beyond what was measured

double missed(double recall) { return std::max(1.0 - recall, kLeastMissed); }

double between(double low, double high, double share) { return low * std::pow(high / low, share); }

ListEffort scaled(const Step& step, double factor) {
  return {static_cast<std::size_t>(std::ceil(step.probes * factor)),
          static_cast<std::size_t>(std::ceil(step.candidates * factor))};
}

// What is missed falls about as a power of the effort.
ListEffort effort_on(const Frontier& frontier, double recall) {
  const auto next = std::lower_bound(frontier.begin(), frontier.end(), recall,
                                     [](const Step& step, double wanted) { return step.recall < wanted; });
  if (next == frontier.begin()) return {next->probes, next->candidates};
  const Step& low = *(next - 1);
  if (next == frontier.end()) return scaled(low, std::pow(missed(low.recall) / missed(recall), 1.0 / kSlope));
  const double share =
      std::log(missed(low.recall) / missed(recall)) / std::log(missed(low.recall) / missed(next->recall));
  return {static_cast<std::size_t>(std::ceil(between(low.probes, next->probes, share))),
          static_cast<std::size_t>(std::ceil(between(low.candidates, next->candidates, share)))};
}

bool good(const Frontier& frontier) {
  double recall = -1.0;
  for (const Step& step : frontier) {
    if (step.probes == 0 || step.candidates == 0 || !(step.recall > recall) || !(step.recall <= 1.0)) return false;
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

}  // namespace

ListCalibration::ListCalibration(std::vector<std::uint32_t> ks, std::vector<double> limits,
                                 std::vector<std::vector<Frontier>> frontiers)
    : ks_(std::move(ks)), limits_(std::move(limits)), frontiers_(std::move(frontiers)) {}

double ListCalibration::hardness(const spann::Nearest* heads, std::size_t count, double square) {
  const double far = heads[std::min(count, kHeads) - 1].distance + square;
  return far > 0.0 ? (heads[0].distance + square) / far : 1.0;
}

std::size_t ListCalibration::part(double hardness) const {
  return static_cast<std::size_t>(std::upper_bound(limits_.begin(), limits_.end(), hardness) - limits_.begin());
}

ListEffort ListCalibration::effort(std::size_t part, std::size_t k, double recall) const {
  const std::vector<Frontier>& frontiers = frontiers_[part];
  const std::size_t j = static_cast<std::size_t>(std::lower_bound(ks_.begin(), ks_.end(), k) - ks_.begin());
  if (j == ks_.size()) {
    const ListEffort last = effort_on(frontiers[j - 1], recall);
    const double factor = static_cast<double>(k) / ks_[j - 1];
    return {static_cast<std::size_t>(std::ceil(static_cast<double>(last.probes) * factor)),
            static_cast<std::size_t>(std::ceil(static_cast<double>(last.candidates) * factor))};
  }
  const ListEffort high = effort_on(frontiers[j], recall);
  if (j == 0 || ks_[j] == k) return high;
  const ListEffort low = effort_on(frontiers[j - 1], recall);
  const double share =
      std::log(static_cast<double>(k) / ks_[j - 1]) / std::log(static_cast<double>(ks_[j]) / ks_[j - 1]);
  const auto mixed = [&](std::size_t a, std::size_t b) {
    return static_cast<std::size_t>(std::ceil(between(static_cast<double>(a), static_cast<double>(b), share)));
  };
  return {mixed(low.probes, high.probes), mixed(low.candidates, high.candidates)};
}

std::size_t ListCalibration::candidates(std::size_t k, std::size_t probes) const {
  std::size_t j = static_cast<std::size_t>(std::lower_bound(ks_.begin(), ks_.end(), k) - ks_.begin());
  j = std::min(j, ks_.size() - 1);
  std::size_t most = 0;
  for (const std::vector<Frontier>& frontiers : frontiers_) {
    const Frontier& frontier = frontiers[j];
    const auto next =
        std::find_if(frontier.begin(), frontier.end(), [&](const Step& step) { return step.probes >= probes; });
    most = std::max<std::size_t>(most, (next == frontier.end() ? frontier.back() : *next).candidates);
  }
  return static_cast<std::size_t>(
      std::ceil(static_cast<double>(most) * std::max(1.0, static_cast<double>(k) / ks_[j])));
}

void ListCalibration::write(storage::ByteWriter& writer) const {
  writer.count(ks_.size());
  for (const std::uint32_t k : ks_) writer.u32(k);
  writer.count(limits_.size());
  for (const double limit : limits_) writer.f64(limit);
  for (const std::vector<Frontier>& part : frontiers_) {
    for (const Frontier& frontier : part) {
      writer.count(frontier.size());
      for (const Step& step : frontier) {
        writer.u32(step.probes);
        writer.u32(step.candidates);
        writer.f64(step.recall);
      }
    }
  }
}

ListCalibration ListCalibration::read(storage::ByteReader& reader) {
  constexpr std::size_t kStepBytes = 2 * sizeof(std::uint32_t) + sizeof(double);
  ListCalibration table;
  table.ks_.resize(reader.count(sizeof(std::uint32_t)));
  for (std::uint32_t& k : table.ks_) k = reader.u32();
  table.limits_.resize(reader.count(sizeof(double)));
  for (double& limit : table.limits_) limit = reader.f64();
  bool is_good = std::is_sorted(table.ks_.begin(), table.ks_.end()) &&
                 std::is_sorted(table.limits_.begin(), table.limits_.end()) &&
                 (table.ks_.empty() ? table.limits_.empty() : table.ks_[0] > 0);
  if (!table.ks_.empty()) table.frontiers_.resize(table.limits_.size() + 1);
  for (std::vector<Frontier>& part : table.frontiers_) {
    for (std::size_t j = 0; j < table.ks_.size() && is_good; ++j) {
      Frontier frontier(reader.count(kStepBytes));
      for (Step& step : frontier) step = {reader.u32(), reader.u32(), reader.f64()};
      is_good = good(frontier);
      part.push_back(std::move(frontier));
    }
  }
  if (!is_good) throw CorruptIndexError("the calibration is not one that a build wrote");
  reader.finish();
  return table;
}

ListMeter::ListMeter(std::vector<std::uint32_t> ks, std::size_t lists)
    : ks_(std::move(ks)),
      probes_(spread(static_cast<std::uint32_t>(lists))),
      most_(spread(kMostCandidates * ks_.back())),
      sums_(ks_.size() * probes_.size() * most_.size()) {}

void ListMeter::add(const std::vector<Seen>& seen, const std::uint32_t* truth) {
  const std::size_t wanted = ks_.back();
  std::vector<std::pair<std::uint32_t, std::uint32_t>> ranks;  // slot, rank
  for (std::size_t i = 0; i < wanted; ++i) ranks.emplace_back(truth[i], static_cast<std::uint32_t>(i));
  std::sort(ranks.begin(), ranks.end());
  std::vector<std::uint32_t> before(probes_.size(), 0);     // entries so far in as many lists
  std::vector<bool> found(wanted * probes_.size(), false);  // neighbours
  std::vector<std::uint32_t> hits(sums_.size(), 0);         // that take exactly as many candidates
  for (const Seen& entry : seen) {
    const auto first = std::upper_bound(probes_.begin(), probes_.end(), entry.list);
    const auto neighbour = std::lower_bound(ranks.begin(), ranks.end(), std::make_pair(entry.slot, 0U));
    const bool is_one = neighbour != ranks.end() && neighbour->first == entry.slot;
    for (std::size_t p = static_cast<std::size_t>(first - probes_.begin()); p < probes_.size(); ++p) {
      const std::uint32_t rank = before[p]++;
      if (!is_one || found[neighbour->second * probes_.size() + p]) continue;
      found[neighbour->second * probes_.size() + p] = true;
      const auto enough = std::upper_bound(most_.begin(), most_.end(), rank);
      if (enough == most_.end()) continue;
      for (std::size_t j = 0; j < ks_.size(); ++j) {
        if (neighbour->second < ks_[j]) ++hits[at(j, p, static_cast<std::size_t>(enough - most_.begin()))];
      }
    }
  }
  ++queries_;
  for (std::size_t row = 0; row < sums_.size(); row += most_.size()) {
    std::uint64_t sum = 0;
    for (std::size_t c = 0; c < most_.size(); ++c) {
      sum += hits[row + c];
      sums_[row + c].hits += sum;
      sums_[row + c].squares += sum * sum;
    }
  }
}

ListCalibration::Frontier ListMeter::frontier(std::size_t k_index, double list_pages, double caution) const {
  struct Point {
    double cost;
    Step step;
  };
  std::vector<Point> points;
  const double k = ks_[k_index], queries = static_cast<double>(queries_);
  for (std::size_t p = 0; p < probes_.size(); ++p) {
    for (std::size_t c = 0; c < most_.size(); ++c) {
      if (most_[c] < ks_[k_index]) continue;
      const Sum& sum = sums_[at(k_index, p, c)];
      const double mean = static_cast<double>(sum.hits) / queries;
      const double variance = std::max(0.0, static_cast<double>(sum.squares) / queries - mean * mean);
      const double recall = std::max(0.0, (mean - caution * std::sqrt(variance / queries)) / k);
      points.push_back({probes_[p] * list_pages + most_[c], {probes_[p], most_[c], recall}});
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
