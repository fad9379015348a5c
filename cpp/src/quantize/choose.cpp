#include "quantize/choose.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "quantize/principal.h"

namespace hopspan::quantize {
namespace {

// What a distance costs in a walk, in the time of one cache line, apart from its lines; and how much longer a walk is
// on codes for which so many more rows seem near (docs/decisions/0011).
constexpr double kDistance = 8.0;
constexpr double kLonger = 0.06;
constexpr double kNearest = 10.0;
constexpr std::size_t kLine = 64;
constexpr std::size_t kProjected[] = {64, 128, 192, 256, 384};
constexpr std::size_t kMomentRows = 4096;

// A projection costs each query a product, which must be worth it.
bool projects(const vectors::RowFormat& format, std::size_t dim) {
  return format.metric != Metric::kIp && 3 * dim <= format.dim && format.dim <= kMostProjected;
}

// Chooses among codes by trying the shortest first.
class Choice {
 public:
  Choice(const vectors::Matrix& rows, std::size_t threads, std::uint64_t seed)
      : format_(rows.format()), sample_(draw_sample(rows, seed)), threads_(threads), seed_(seed) {}

  Quantizer run() {
    Quantizer best = make({format_.dim, format_.metric, 8});
    double least = cost(best.code_format(), best.fidelity().candidates);
    for (const CodeFormat& shape : shorter_shapes()) {
      if (cost(shape, kNearest) >= least) continue;
      Quantizer quantizer = make(shape);
      const double its = cost(shape, quantizer.fidelity().candidates);
      if (its < least) {
        least = its;
        best = std::move(quantizer);
      }
    }
    return best;
  }

 private:
  // Of a walk, so far as it depends on codes; rows that are no whole lines begin anywhere.
  static double cost(const CodeFormat& shape, double candidates) {
    const std::size_t stride = shape.stride();
    const double lines = static_cast<double>(stride % kLine == 0 ? stride : stride + kLine - 1) / kLine;
    return (kDistance + lines) * (1.0 + kLonger * std::max(candidates - kNearest, 0.0));
  }

  // The codes that are shorter than all dimensions at 8 bits, the shortest first.
  std::vector<CodeFormat> shorter_shapes() const {
    std::vector<CodeFormat> shapes{{format_.dim, format_.metric, 4}};
    for (const std::size_t dim : kProjected) {
      if (projects(dim)) shapes.push_back({dim, format_.metric, 8});
    }
    std::stable_sort(shapes.begin(), shapes.end(),
                     [](const CodeFormat& a, const CodeFormat& b) { return a.stride() < b.stride(); });
    return shapes;
  }

  bool projects(std::size_t dim) const { return quantize::projects(format_, dim); }

  Quantizer make(const CodeFormat& shape) {
    if (shape.dim == format_.dim) return {format_, sample_, shape.bits};
    if (directions_.empty()) learn_directions();
    return {format_, sample_, shape.bits, centre_,
            Projection(format_.dim, mixed(directions_, shape.dim, format_.dim, threads_, seed_))};
  }

  void learn_directions() {
    std::vector<double> sums(format_.dim);
    for (std::size_t i = 0; i < sample_.size; ++i)
      for (std::size_t j = 0; j < format_.dim; ++j) sums[j] += static_cast<double>(sample_.row(i)[j]);
    centre_.resize(format_.dim);
    for (std::size_t j = 0; j < format_.dim; ++j)
      centre_[j] = static_cast<float>(sums[j] / static_cast<double>(sample_.size));
    const std::size_t rows = std::min(sample_.size, kMomentRows);
    Sample centred{rows, format_.dim, std::vector<float>(rows * format_.dim)};
    for (std::size_t i = 0; i < rows; ++i) {
      const float* const row = sample_.row(i * sample_.size / rows);
      for (std::size_t j = 0; j < format_.dim; ++j) centred.row(i)[j] = row[j] - centre_[j];
    }
    std::size_t most = 0;
    for (const std::size_t dim : kProjected) most = projects(dim) ? dim : most;
    directions_ = principal_directions(centred, most, threads_, seed_);
  }

  const vectors::RowFormat format_;
  const Sample sample_;
  const std::size_t threads_;
  const std::uint64_t seed_;
  std::vector<float> centre_;
  std::vector<float> directions_;
};

}  // namespace

bool may_project(const vectors::RowFormat& format) { return projects(format, kProjected[0]); }

Quantizer choose_quantizer(const vectors::Matrix& rows, std::size_t threads, std::uint64_t seed) {
  return Choice(rows, threads, seed).run();
}

}  // namespace hopspan::quantize
