// Packing into panels, and blocks of dot products against double precision.
#include <cmath>
#include <string>
#include <vector>

#include "distance/blocks.h"
#include "distance/reference.h"
#include "test.h"

namespace hopspan::test {
namespace {

std::vector<float> random_floats(std::size_t count, std::uint64_t seed) {
  Generator random(seed);
  std::vector<float> values(count);
  for (float& value : values) value = random.real();
  return values;
}

std::vector<float> packed(const std::vector<float>& vectors, std::size_t count, std::size_t dim, std::size_t tile) {
  std::vector<float> panels(distance::panel_count(count, tile) * tile * dim, -1.0f);
  distance::pack_panels(vectors.data(), dim, count, dim, tile, panels.data());
  return panels;
}

TEST(pack_panels_lays_vectors_out_element_by_element) {
  for (std::size_t tile : {1, 4, 6, 8, 12, 14, 16, 24, 32}) {
    for (std::size_t count : {0, 1, 5, 16, 33, 64}) {
      for (std::size_t dim : {0, 1, 3, 8, 17, 50, 64}) {
        const std::size_t stride = dim + 3;
        const std::vector<float> vectors = random_floats(count * stride, tile + count + dim);
        const std::size_t size = distance::panel_count(count, tile) * tile * dim;
        std::vector<float> panels(size + 1, -1.0f);
        distance::pack_panels(vectors.data(), stride, count, dim, tile, panels.data());
        CHECK_EQUAL(panels[size], -1.0f);
        for (std::size_t i = 0; i < size; ++i) {
          const std::size_t v = i / (tile * dim) * tile + i % tile;
          const std::size_t d = i % (tile * dim) / tile;
          CHECK_EQUAL(panels[i], v < count ? vectors[v * stride + d] : 0.0f);
        }
      }
    }
  }
}

void check_blocks(const distance::BlockTable& table, std::size_t n_queries, std::size_t n_rows, std::size_t dim) {
  const std::vector<float> queries = random_floats(n_queries * dim, 1), rows = random_floats(n_rows * dim, 2);
  const std::vector<float> query_panels = packed(queries, n_queries, dim, table.query_tile);
  const std::vector<float> row_panels = packed(rows, n_rows, dim, table.row_tile);
  const std::size_t q_count = distance::panel_count(n_queries, table.query_tile);
  const std::size_t r_count = distance::panel_count(n_rows, table.row_tile);
  const std::size_t stride = r_count * table.row_tile + 7;
  std::vector<float> out(q_count * table.query_tile * stride + 1, -7.0f);
  table.dot(query_panels.data(), q_count, row_panels.data(), r_count, dim, out.data(), stride);
  const double c = static_cast<double>(dim) + 1;
  for (std::size_t q = 0; q < q_count * table.query_tile; ++q) {
    for (std::size_t r = 0; r < stride; ++r) {
      double sum = 0, terms = 0;
      for (std::size_t d = 0; q < n_queries && r < n_rows && d < dim; ++d) {
        const double term = static_cast<double>(queries[q * dim + d]) * rows[r * dim + d];
        sum += term;
        terms += std::fabs(term);
      }
      if (r >= r_count * table.row_tile) sum = -7.0;
      if (!(std::fabs(out[q * stride + r] - sum) <= c * std::ldexp(terms, -24)))
        fail(__FILE__, __LINE__,
             std::string(table.isa) + " dim " + std::to_string(dim) + " at " + std::to_string(q) + ", " +
                 std::to_string(r) + ": " + std::to_string(out[q * stride + r]) + " is not " + std::to_string(sum));
    }
  }
  CHECK_EQUAL(out.back(), -7.0f);
}

TEST(blocks_agree_with_double_precision_and_fill_up_with_zeros) {
  for (const char* isa : kAllIsas) {
    const distance::BlockTable* const table = distance::find_blocks(isa);
    if (table == nullptr) continue;
    for (std::size_t dim : {0, 1, 2, 7, 50, 100, 257, 1100}) check_blocks(*table, 33, 70, dim);
    check_blocks(*table, 0, 0, 10);
    check_blocks(*table, 1, 1, 960);
    check_blocks(*table, 300, 200, 65);
  }
}

}  // namespace
}  // namespace hopspan::test
