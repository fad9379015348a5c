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

// heads: of vectors.dim() floats each. Replicas take the room that first copies leave in lists of `capacity` entries,
// the nearest ones first; a list that is longer is so by first copies alone, and has the replicas that will fit the
// lists it is to be cut into.
Copies assign_copies(const Floats& vectors, const std::vector<float>& heads, const ReplicaOptions& options,
                     std::size_t capacity, std::size_t threads, const Progress& progress);

// Cuts lists that are longer than `capacity` in two, as often as it takes, each with a head of its own; what is cut off
// becomes a list behind the others. vectors: those that entries name.
void split_long_lists(const Floats& vectors, std::size_t capacity, std::vector<float>& heads, Copies& copies);

}  // namespace hopspan::spann
