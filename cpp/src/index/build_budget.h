// How a build's memory is shared out: a sample to learn heads from, what assignment takes for each vector, and the rows
// that are grouped at a time.
#pragma once

#include <cstddef>

namespace hopspan::index {

struct BuildSize {
  std::size_t vectors;
  std::size_t dim;
  std::size_t row_bytes;  // as stored
  std::size_t heads;
  std::size_t capacity;  // entries of a list
  std::size_t threads;
};

struct BuildBudget {
  std::size_t samples_per_head;
  std::size_t group_bytes;
};

// The least that a build of this size takes.
std::size_t least_memory(const BuildSize& size);

// Throws InvalidArgument, naming the least, when `memory` is below it.
BuildBudget share_memory(const BuildSize& size, std::size_t memory);

}  // namespace hopspan::index
