// The tables that the instruction sets of this build export, one of each kind for each kernels_*.cpp.
#pragma once

#include "distance/beam.h"
#include "distance/blocks.h"
#include "distance/kernels.h"
#include "distance/scan.h"

#if defined(__x86_64__) || defined(_M_X64)
#define HOPSPAN_X86_64
#elif defined(__aarch64__) || defined(_M_ARM64)
#define HOPSPAN_AARCH64
#endif

namespace hopspan::distance {

namespace scalar {
extern const KernelTable kernel_table;
extern const BlockTable block_table;
extern const BeamTable beam_table;
extern const ScanTable scan_table;
}  // namespace scalar

#ifdef HOPSPAN_X86_64
namespace avx2 {
extern const KernelTable kernel_table;
extern const BlockTable block_table;
extern const BeamTable beam_table;
extern const ScanTable scan_table;
}  // namespace avx2

namespace avx512 {
extern const KernelTable kernel_table;
extern const BlockTable block_table;
extern const BeamTable beam_table;
extern const ScanTable scan_table;
}  // namespace avx512
#endif

#ifdef HOPSPAN_AARCH64
namespace neon {
extern const KernelTable kernel_table;
extern const BlockTable block_table;
extern const BeamTable beam_table;
extern const ScanTable scan_table;
}  // namespace neon
#endif

}  // namespace hopspan::distance
