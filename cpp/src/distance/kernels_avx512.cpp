// The tables of avx512, and nothing else that a linker could see (kernels.inl).
#include "distance/keys.h"
#include "distance/tables.h"
#include "distance/vec_avx512.h"

namespace hopspan::distance::avx512 {

#include "distance/beam_avx512.inl"
#include "distance/blocks.inl"
#include "distance/kernels.inl"
#include "distance/scan.inl"

}  // namespace hopspan::distance::avx512
