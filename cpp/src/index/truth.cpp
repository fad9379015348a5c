#include "index/truth.h"

#include <algorithm>

#include "distance/kernels.h"
#include "index/exact/search.h"

namespace hopspan::index {
namespace {

constexpr std::size_t kBatchBytes = std::size_t{4} << 20;
constexpr std::uint32_t kNone = 0xFFFFFFFFu;

// The nearest rows so far of each query.
class Nearest {
 public:
  Nearest(const exact::Queries& queries, const TruthRequest& request)
      : queries_(queries), request_(request), most_(request.ks.back()), distances_(queries.count) {}

  void add(const vectors::Matrix& rows, std::size_t first) {
    const std::size_t k = std::min(most_, rows.size());
    std::vector<std::uint32_t> excluded(queries_.count, kNone);
    for (std::size_t q = 0; q < queries_.count && request_.excluded != nullptr; ++q) {
      const std::size_t row = request_.excluded[q];
      if (row >= first && row - first < rows.size()) excluded[q] = static_cast<std::uint32_t>(row - first);
    }
    ids_.resize(queries_.count * k);
    room_.resize(ids_.size());
    exact::Searcher(rows).search(queries_, IdMap(rows.size()), {k, excluded.data(), request_.threads, {}}, ids_.data(),
                                 room_.data());
    const vectors::RowFormat& format = rows.format();
    const distance::OneFn one =
        distance::kernels().kernels[static_cast<int>(format.metric)][static_cast<int>(format.dtype)].one;
    for (std::size_t q = 0; q < queries_.count; ++q) {
      std::vector<float>& nearest = distances_[q];
      for (std::size_t i = 0; i < k; ++i) {
        const std::int64_t id = ids_[q * k + i];
        if (id >= 0) nearest.push_back(one(queries_[q], rows.row(static_cast<std::size_t>(id)), format.dim));
      }
      std::sort(nearest.begin(), nearest.end());
      if (nearest.size() > most_) nearest.resize(most_);
    }
  }

  std::vector<float> limits() const {
    std::vector<float> limits;
    for (const std::vector<float>& nearest : distances_) {
      for (const std::uint32_t k : request_.ks) limits.push_back(nearest[k - 1]);
    }
    return limits;
  }

 private:
  const exact::Queries& queries_;
  const TruthRequest& request_;
  std::size_t most_;
  std::vector<std::vector<float>> distances_;  // ascending
  std::vector<std::int64_t> ids_;
  std::vector<float> room_;
};

}  // namespace

std::vector<float> true_limits(const vectors::RowFormat& format, std::size_t rows, ReadRows read,
                               const exact::Queries& queries, const TruthRequest& request) {
  Nearest nearest(queries, request);
  vectors::Matrix batch(format);
  const std::size_t at_once = std::max<std::size_t>(1, kBatchBytes / format.row_bytes());
  for (std::size_t first = 0; first < rows; first += at_once) {
    if (request.progress) request.progress(first, rows);
    read(first, std::min(at_once, rows - first), batch);
    nearest.add(batch, first);
  }
  return nearest.limits();
}

}  // namespace hopspan::index
