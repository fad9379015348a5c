// The tables of avx2, and nothing else that a linker could see (kernels.inl).
#include "distance/keys.h"
#include "distance/tables.h"
#include "distance/vec_avx2.h"

namespace hopspan::distance::avx2 {

#include "distance/beam.inl"
#include "distance/blocks.inl"
#include "distance/kernels.inl"
#include "distance/scan.inl"

}  // namespace hopspan::distance::avx2
