// Giga floating-point operations a second of blocks of 1,000 queries against blocks of rows, packing the rows included.
// Usage: blocks [rows a block]; HOPSPAN_ISA forces an instruction set.
#include "distance/blocks.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "core/buffer.h"

namespace {

using namespace hopspan;

constexpr std::size_t kQueries = 1000;

struct Panels {
  Panels(std::size_t count, std::size_t dim, std::size_t tile)
      : panels(distance::panel_count(count, tile)), memory(panels * tile * dim * sizeof(float)) {}
  float* data() { return reinterpret_cast<float*>(memory.data()); }

  std::size_t panels;
  core::Buffer memory;
};

double seconds(std::size_t rows, std::size_t dim) {
  const distance::BlockTable& table = distance::blocks();
  const std::vector<float> vectors(std::max(rows, kQueries) * dim, 0.5f);
  Panels queries(kQueries, dim, table.query_tile), block(rows, dim, table.row_tile);
  const std::size_t stride = block.panels * table.row_tile;
  std::vector<float> out(queries.panels * table.query_tile * stride);
  distance::pack_panels(vectors.data(), dim, kQueries, dim, table.query_tile, queries.data());
  double best = 1e9;
  for (int run = 0; run < 10; ++run) {
    const auto start = std::chrono::steady_clock::now();
    distance::pack_panels(vectors.data(), dim, rows, dim, table.row_tile, block.data());
    table.dot(queries.data(), queries.panels, block.data(), block.panels, dim, out.data(), stride);
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t rows = argc > 1 ? std::stoul(argv[1]) : 256;
  for (std::size_t dim : {50, 100, 128, 384, 960}) {
    const double operations = 2.0 * kQueries * static_cast<double>(rows * dim);
    std::printf("%-7s %4zu: %.1f GFLOP/s\n", distance::blocks().isa, dim, operations / seconds(rows, dim) / 1e9);
  }
}
