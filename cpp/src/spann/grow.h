// More vectors for lists that exist.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hopspan/options.h"
#include "spann/build.h"
#include "spann/floats.h"

namespace hopspan::spann {

// What changes in lists.
struct Patch {
  std::vector<float> heads;            // of all lists
  std::size_t count = 0;               // of lists
  std::vector<std::uint32_t> changed;  // their numbers, ascending; those from the old count on are new
  std::vector<ListArray> lists;        // theirs
};

// Appends the vectors [first, vectors.size()) to the lists of their nearest heads, and cuts lists that become too long
// in two. The result does not depend on the number of threads.
Patch grow(const Lists& lists, const Floats& vectors, std::size_t first, const BuildOptions& options,
           const Progress& progress);

// When it throws, the lists are as they were.
void apply(Patch&& patch, Lists& lists);

}  // namespace hopspan::spann
