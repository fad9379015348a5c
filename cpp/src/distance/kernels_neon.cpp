// The tables of neon, and nothing else that a linker could see (kernels.inl).
#include "distance/keys.h"
#include "distance/tables.h"
#include "distance/vec_neon.h"

namespace hopspan::distance::neon {

#include "distance/beam.inl"
#include "distance/blocks.inl"
#include "distance/kernels.inl"
#include "distance/scan.inl"

}  // namespace hopspan::distance::neon
