#include <algorithm>
#include <utility>
#include <vector>

#include "core/random.h"
#include "distance/kernels.h"
#include "index/sample.h"
#include "index/truth.h"
#include "test.h"

using hopspan::DType;
using hopspan::Metric;
using hopspan::index::Sample;
using hopspan::index::true_neighbors;
using hopspan::vectors::Matrix;

// A batch of few rows at a time against all rows at once; planted bug that turns it red: excluded rows that are not
// those of the batch.
TEST(truth_of_rows_in_batches_is_that_of_all_rows) {
  constexpr std::size_t kRows = 3000, kDim = 700;  // several batches
  Matrix rows({kDim, Metric::kL2, DType::kFloat32});
  std::vector<float> all(kRows * kDim);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<float>(hopspan::core::random_unit(1, i));
  rows.append({all.data(), kRows, kDim, DType::kFloat32});
  const Sample sample = hopspan::index::held_out(rows, 20, 3);
  std::size_t batches = 0;
  const auto read = [&](std::size_t first, std::size_t count, Matrix& out) {
    ++batches;
    out.truncate(0);
    out.append({&all[first * kDim], count, kDim, DType::kFloat32});
  };
  const std::vector<std::uint32_t> nearest =
      true_neighbors(rows.format(), kRows, read, sample.queries(), {10, sample.excluded(), 2, {}});
  CHECK(batches > 1);
  const hopspan::distance::OneFn one = hopspan::distance::kernels().kernels[0][0].one;
  for (std::size_t q = 0; q < sample.count(); ++q) {
    std::vector<std::pair<float, std::uint32_t>> distances;
    for (std::uint32_t i = 0; i < kRows; ++i) {
      if (i != sample.excluded()[q]) distances.emplace_back(one(sample.queries()[q], rows.row(i), kDim), i);
    }
    std::sort(distances.begin(), distances.end());
    for (std::size_t i = 0; i < 10; ++i) CHECK_EQUAL(nearest[10 * q + i], distances[i].second);
  }
}
