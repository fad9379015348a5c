// Which vectors are in which list: every vector in one list at least, no list much longer than the others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hopspan/options.h"
#include "spann/assign/replicas.h"
#include "spann/floats.h"

namespace hopspan::spann {

// The entries of each list by slot: slots, with kReplica where it is not the vector's first copy.
using Copies = std::vector<std::vector<std::uint32_t>>;

inline std::size_t count_copies(const Copies& copies) {
  std::size_t count = 0;
  for (const auto& list : copies) count += list.size();
  return count;
}

// heads: of vectors.dim() floats each.
Copies assign_copies(const Floats& vectors, const std::vector<float>& heads, const ReplicaOptions& options,
                     std::size_t threads, const Progress& progress);

// Cuts lists that are longer than twice the mean in two, as often as it takes, each with a head of its own; what is cut
// off becomes a list behind the others. Returns which lists are not what they were, ascending. vectors: those that
// entries name.
std::vector<std::uint32_t> split_long_lists(const Floats& vectors, std::vector<float>& heads, Copies& copies);

}  // namespace hopspan::spann
