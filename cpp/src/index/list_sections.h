// Lists as sections of a container: SPHD the heads, SPCB the words of the codebook, SPSZ the number of entries of each
// list (u32), SPBL the lists one after the other (spann/lists/format.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/function_ref.h"
#include "hopspan/options.h"
#include "spann/build.h"
#include "storage/container.h"

namespace hopspan::index {

void write_lists(const spann::Lists& lists, storage::ContainerWriter& writer);

// Whether there are lists as they were before there was a release: with blocks of full width only (section SPLS), in
// pages with codes of 4 bits or words (LIST), or with heads of float32 on disk (LST2).
bool has_earlier_lists(const storage::ContainerReader& reader);
// Throws VersionError for them.
void refuse_earlier_lists(const storage::ContainerReader& reader);

// Throws CorruptIndexError unless all sizes agree. What lists hold is not looked at.
spann::Lists read_lists(const storage::ContainerReader& reader, std::size_t dim, Metric metric);

// Throws CorruptIndexError unless every slot below `size` that is held is in exactly one list as a first copy and never
// twice in one list, no list holds another slot, and all numbers are finite.
void validate(const spann::Lists& lists, std::size_t dim, Metric metric, std::size_t size,
              core::FunctionRef<bool(std::uint32_t slot)> held);

}  // namespace hopspan::index
