// The distance kernels of one instruction set, as one table of functions, and the choice of the table for this CPU.
//
// Layout of a row: `dim` elements of the stored dtype; under cosine a float follows the elements without padding: the
// reciprocal of the vector's Euclidean norm (the "scale"). Binary rows are ceil(dim / 8) bytes, unused bits zero.
// Layout of a prepared query: as a row, but float16 and bfloat16 elements are widened to float32.
// Layout of a row of 4-bit codes: ceil(dim / 2) bytes, of which byte j holds dimension 2j in its low half and 2j + 1 in
// its high half. Layout of its query: the int8 u of all even dimensions, that of all odd ones (zero behind the last),
// and a float s without padding. The distance is s plus the sum of c (2c - u) under l2, s minus the sum of c u under
// ip, where each 2c - u for 0 <= c <= 15 must be an int8 as well. Rows need no alignment; kernels never read past a
// row's last byte.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hopspan::distance {

// Distance of a prepared query to one row. Smaller is closer; the metrics are those of hopspan::Metric.
using OneFn = float (*)(const void* query, const void* row, std::size_t dim);

// Distances of a prepared query to rows base + slots[i] * stride, i < count, with rolling prefetch of the rows ahead.
using ManyFn = void (*)(const void* query, const void* base, std::size_t stride, const std::uint32_t* slots,
                        std::size_t count, std::size_t dim, float* out);

struct Kernel {
  OneFn one;
  ManyFn many;
};

inline constexpr int kMetrics = 4;  // indexed by hopspan::Metric
inline constexpr int kDTypes = 6;   // indexed by hopspan::DType

// Entries are null exactly where metric and dtype do not go together: hamming is for binary and binary for hamming.
struct KernelTable {
  const char* isa;  // "scalar", "avx2", "avx512", "neon"
  Kernel kernels[kMetrics][kDTypes];
  Kernel float_bytes[3];  // under l2, ip and cosine: of a float32 query and uint8 rows
  Kernel codes4[2];       // under l2 and ip
  Kernel dot_float16;     // no distance but the dot product itself, of a float32 query and float16 rows
};

// select_kernels of the environment variable HOPSPAN_ISA; chosen once.
const KernelTable& kernels();

// The table of that name, or the best one for this CPU when `isa` is null or empty. Throws InvalidArgument when it
// names an instruction set that is unknown or that this CPU or build lacks.
const KernelTable& select_kernels(const char* isa);

// The table of that name, or null when this CPU or build lacks it.
const KernelTable* find_kernels(const char* isa);

}  // namespace hopspan::distance
