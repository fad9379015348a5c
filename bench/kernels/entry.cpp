// The kernels as C functions, for bench/test_kernels.py.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "distance/blocks.h"
#include "distance/kernels.h"

using namespace hopspan::distance;

extern "C" {

const char* bench_isa() { return kernels().isa; }

std::size_t bench_query_tile() { return blocks().query_tile; }

std::size_t bench_row_tile() { return blocks().row_tile; }

// One query against `count` rows, `per_call` of them a call of `many`.
void bench_many(int metric, int dtype, const void* query, const void* matrix, std::size_t stride,
                const std::uint32_t* slots, std::size_t count, std::size_t per_call, std::size_t dim, float* out) {
  const Kernel& kernel = kernels().kernels[metric][dtype];
  for (std::size_t i = 0; i < count; i += per_call)
    kernel.many(query, matrix, stride, slots + i, std::min(per_call, count - i), dim, out + i);
}

// The same row by row.
void bench_one(int metric, int dtype, const void* query, const void* matrix, std::size_t stride,
               const std::uint32_t* slots, std::size_t count, std::size_t dim, float* out) {
  const Kernel& kernel = kernels().kernels[metric][dtype];
  const char* rows = static_cast<const char*>(matrix);
  for (std::size_t i = 0; i < count; ++i) out[i] = kernel.one(query, rows + slots[i] * stride, dim);
}

// Packed queries against `rows` vectors, which are packed first.
void bench_blocks(const float* query_panels, std::size_t query_count, const float* vectors, std::size_t rows,
                  std::size_t dim, float* row_panels, float* out) {
  const BlockTable& table = blocks();
  const std::size_t panels = panel_count(rows, table.row_tile);
  pack_panels(vectors, dim, rows, dim, table.row_tile, row_panels);
  table.dot(query_panels, panel_count(query_count, table.query_tile), row_panels, panels, dim, out,
            panels * table.row_tile);
}
}
