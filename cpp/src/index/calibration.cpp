#include "index/calibration.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "hopspan/error.h"

namespace hopspan::index {
namespace {

constexpr double kGrowth = 0.25;     // effort follows the size of the index to this power
constexpr double kLeastSlope = 0.5;  // of log(missed) against log(effort), beyond what was measured
constexpr double kLeastMissed = 1e-6;

// What is missed falls about as a power of the effort.
double missed(double recall) { return std::max(1.0 - recall, kLeastMissed); }

double interpolate(double low, double high, double share) { return low * std::pow(high / low, share); }

template <typename T>
bool rises(const std::vector<T>& values) {
  return std::is_sorted(values.begin(), values.end()) &&
         std::adjacent_find(values.begin(), values.end()) == values.end();
}

}  // namespace

Calibration::Calibration(std::size_t size, std::vector<std::uint32_t> ks, std::vector<std::uint32_t> efforts,
                         std::vector<std::vector<double>> recalls)
    : size_(size), ks_(std::move(ks)), efforts_(std::move(efforts)), recalls_(std::move(recalls)) {
  for (std::vector<double>& row : recalls_) {
    for (std::size_t i = 1; i < row.size(); ++i) row[i] = std::max(row[i], row[i - 1]);
  }
}

std::size_t Calibration::effort(std::size_t k, double recall, std::size_t size) const {
  if (empty()) return size;
  const std::size_t j = static_cast<std::size_t>(std::lower_bound(ks_.begin(), ks_.end(), k) - ks_.begin());
  double effort;
  if (j == ks_.size()) {
    effort = effort_at(j - 1, recall) * static_cast<double>(k) / ks_[j - 1];
  } else if (j == 0 || ks_[j] == k) {
    effort = effort_at(j, recall);
  } else {
    const double share =
        std::log(static_cast<double>(k) / ks_[j - 1]) / std::log(static_cast<double>(ks_[j]) / ks_[j - 1]);
    effort = interpolate(effort_at(j - 1, recall), effort_at(j, recall), share);
  }
  if (size > size_) effort *= std::pow(static_cast<double>(size) / static_cast<double>(size_), kGrowth);
  const double least = static_cast<double>(std::min(k, size));
  return static_cast<std::size_t>(std::clamp(std::round(effort), least, static_cast<double>(size)));
}

double Calibration::effort_at(std::size_t j, double recall) const {
  const std::vector<double>& row = recalls_[j];
  const std::size_t i = static_cast<std::size_t>(std::lower_bound(row.begin(), row.end(), recall) - row.begin());
  if (i == row.size()) return extrapolate(j, recall);
  if (i == 0 || row[i - 1] == 0.0) return efforts_[i];
  const double share = std::log(missed(row[i - 1]) / missed(recall)) / std::log(missed(row[i - 1]) / missed(row[i]));
  return interpolate(efforts_[i - 1], efforts_[i], share);
}

double Calibration::extrapolate(std::size_t j, double recall) const {
  const std::size_t last = efforts_.size() - 1;
  const double left = missed(recalls_[j][last]);
  double slope = kLeastSlope;
  if (last > 0) {
    const double before = missed(recalls_[j][last - 1]);
    slope =
        std::max(slope, std::log(before / left) / std::log(static_cast<double>(efforts_[last]) / efforts_[last - 1]));
  }
  return efforts_[last] * std::pow(left / (1.0 - recall), 1.0 / slope);
}

void Calibration::write(storage::ByteWriter& writer) const {
  writer.u64(size_);
  writer.count(ks_.size());
  for (const std::uint32_t k : ks_) writer.u32(k);
  writer.count(efforts_.size());
  for (const std::uint32_t effort : efforts_) writer.u32(effort);
  for (const std::vector<double>& row : recalls_) {
    for (const double recall : row) writer.f64(recall);
  }
}

Calibration Calibration::read(storage::ByteReader& reader) {
  Calibration table;
  table.size_ = reader.u64();
  table.ks_.resize(reader.count(sizeof(std::uint32_t)));
  for (std::uint32_t& k : table.ks_) k = reader.u32();
  table.efforts_.resize(reader.count(sizeof(std::uint32_t)));
  for (std::uint32_t& effort : table.efforts_) effort = reader.u32();
  bool good = rises(table.ks_) && rises(table.efforts_) && table.ks_.empty() == table.efforts_.empty();
  if (!table.empty()) good = good && table.size_ > 0 && table.ks_[0] > 0 && table.efforts_[0] > 0;
  for (std::size_t j = 0; good && j < table.ks_.size(); ++j) {
    std::vector<double> row;
    for (std::size_t i = 0; i < table.efforts_.size(); ++i) {
      row.push_back(reader.f64());
      good = good && row[i] >= (i == 0 ? 0.0 : row[i - 1]) && row[i] <= 1.0;
    }
    table.recalls_.push_back(std::move(row));
  }
  if (!good) throw CorruptIndexError("the calibration is not one that a save wrote");
  reader.finish();
  return table;
}

}  // namespace hopspan::index
