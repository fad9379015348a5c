#include "quantize/choose.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "quantize/principal.h"

namespace hopspan::quantize {
namespace {

// Coarser codes are worth it as long as they make a walk only a little longer (docs/decisions/0011).
constexpr double kMostCandidates = 18.0;
// A walk waits for cache lines: codes are not made shorter than one.
constexpr std::size_t kLine = 64;
constexpr std::size_t kProjected[] = {64, 128, 192, 256, 384};
constexpr std::size_t kMomentRows = 4096;

// Chooses among codes by trying the shortest first.
class Choice {
 public:
  Choice(const vectors::Matrix& rows, std::size_t threads, std::uint64_t seed)
      : format_(rows.format()), sample_(draw_sample(rows, seed)), threads_(threads), seed_(seed) {}

  Quantizer run() {
    if (format_.dim > kLine) {
      for (const CodeFormat& shape : shorter_shapes()) {
        Quantizer quantizer = make(shape);
        if (quantizer.fidelity().candidates <= kMostCandidates) return quantizer;
      }
    }
    return {format_, sample_, 8};
  }

 private:
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

  // A projection costs each query a product, which must be worth it.
  bool projects(std::size_t dim) const {
    return format_.metric != Metric::kIp && 3 * dim <= format_.dim && format_.dim <= kMostProjected;
  }

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

Quantizer choose_quantizer(const vectors::Matrix& rows, std::size_t threads, std::uint64_t seed) {
  return Choice(rows, threads, seed).run();
}

}  // namespace hopspan::quantize
