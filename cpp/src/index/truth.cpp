#include "index/truth.h"

#include <algorithm>
#include <utility>

#include "index/exact/search.h"
#include "vectors/query.h"

namespace hopspan::index {
namespace {

constexpr std::size_t kBatchBytes = std::size_t{4} << 20;
constexpr std::uint32_t kNone = 0xFFFFFFFFu;

// The nearest rows so far of each query.
class Nearest {
 public:
  Nearest(const exact::Queries& queries, const TruthRequest& request)
      : queries_(queries), request_(request), most_(request.k), nearest_(queries.count) {}

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
    const distance::OneFn one = vectors::kernel_of(format).one;
    for (std::size_t q = 0; q < queries_.count; ++q) {
      std::vector<std::pair<float, std::uint32_t>>& nearest = nearest_[q];
      for (std::size_t i = 0; i < k; ++i) {
        const std::int64_t id = ids_[q * k + i];
        if (id < 0) continue;
        const std::size_t row = static_cast<std::size_t>(id);
        nearest.emplace_back(one(queries_[q], rows.row(row), format.dim), static_cast<std::uint32_t>(first + row));
      }
      std::sort(nearest.begin(), nearest.end());
      if (nearest.size() > most_) nearest.resize(most_);
    }
  }

  std::vector<std::uint32_t> rows() const {
    std::vector<std::uint32_t> rows;
    for (const auto& nearest : nearest_) {
      for (const auto& [distance, row] : nearest) rows.push_back(row);
    }
    return rows;
  }

 private:
  const exact::Queries& queries_;
  const TruthRequest& request_;
  std::size_t most_;
  std::vector<std::vector<std::pair<float, std::uint32_t>>> nearest_;  // ascending
  std::vector<std::int64_t> ids_;
  std::vector<float> room_;
};

}  // namespace

std::vector<std::uint32_t> true_neighbors(const vectors::RowFormat& format, std::size_t rows, ReadRows read,
                                          const exact::Queries& queries, const TruthRequest& request) {
  Nearest nearest(queries, request);
  vectors::Matrix batch(format);
  const std::size_t at_once = std::max<std::size_t>(1, kBatchBytes / format.row_bytes());
  for (std::size_t first = 0; first < rows; first += at_once) {
    if (request.progress) request.progress(first, rows);
    read(first, std::min(at_once, rows - first), batch);
    nearest.add(batch, first);
  }
  return nearest.rows();
}

}  // namespace hopspan::index
