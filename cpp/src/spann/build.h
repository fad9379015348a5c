// Makes the lists of a set of vectors: heads, copies, codes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/array.h"
#include "hopspan/options.h"
#include "spann/assign/copies.h"
#include "spann/assign/replicas.h"
#include "spann/floats.h"
#include "spann/lists/codebook.h"
#include "spann/lists/coder.h"

namespace hopspan::spann {

struct BuildOptions {
  Metric metric = Metric::kL2;
  std::size_t heads = 1;     // about as many; long lists are cut and get more
  std::size_t capacity = 8;  // entries of a list at most, at least 4
  bool data_heads = false;   // heads are vectors of the data in place of means
  std::size_t samples_per_head = 64;
  ReplicaOptions replicas;
  std::uint64_t seed = 0;
  std::size_t threads = 0;
};

using ListArray = core::Array<std::byte>;

struct Lists {
  std::vector<float> heads;  // dim floats each
  Codebook codebook;
  std::vector<ListArray> lists;
};

// Lists before they are encoded.
struct Plan {
  std::vector<float> heads;
  Copies copies;
};

// The two steps of a plan, of which the second fills in what the first has left. The vectors must not be empty. Every
// vector is in at least one list, and the result does not depend on the number of threads.
std::vector<float> plan_heads(const Floats& vectors, const BuildOptions& options, const Progress& progress);
void plan_lists(const Floats& vectors, const BuildOptions& options, const Progress& progress, Plan& plan);

// Both, and product codes.
Lists build(const Floats& vectors, const BuildOptions& options, const Progress& progress);

// One list of the vectors that the entries name.
ListArray encode_list(const Floats& vectors, const Coder& coder, const float* head,
                      const std::vector<std::uint32_t>& entries);

}  // namespace hopspan::spann
