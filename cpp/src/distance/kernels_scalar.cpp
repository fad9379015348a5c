// The tables of scalar, and nothing else that a linker could see (kernels.inl).
#include "distance/keys.h"
#include "distance/tables.h"
#include "distance/vec_scalar.h"

namespace hopspan::distance::scalar {

#include "distance/beam.inl"
#include "distance/blocks.inl"
#include "distance/kernels.inl"
#include "distance/scan.inl"

}  // namespace hopspan::distance::scalar
