// The rings through which Linux takes many reads at once. A batch has a ring to itself while it runs; there are at most
// kMaxRings, made when they are first needed, and a forked child begins with none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "storage/batch_read.h"

namespace hopspan::storage {

inline constexpr std::size_t kMaxRings = 32;

// Whether this kernel lets this process use io_uring for reads.
bool io_uring_works();

// As read_batch; nothing when every ring is taken or none can be made, and then no read has been started. Every file
// has a descriptor.
std::optional<std::uint64_t> read_by_io_uring(const Read* reads, std::size_t count, StartRead start, ReadDone done);

}  // namespace hopspan::storage
