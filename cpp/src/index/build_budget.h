// How a build's memory is shared out: a sample to learn heads from, what assignment takes for each vector, and the rows
// that are grouped at a time. A build may take kBeyondBudget more than it is given: of few vectors the heads are many.
#pragma once

#include <cstddef>

namespace hopspan::index {

inline constexpr std::size_t kBeyondBudget = std::size_t{20} << 20;

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

// The least that a build of this size has to be given.
std::size_t least_memory(const BuildSize& size);

// As many heads as a build can have with so much memory: size.heads or fewer, but not below `least`.
std::size_t affordable_heads(BuildSize size, std::size_t least, std::size_t memory);

// Throws InvalidArgument, naming the least, when `memory` is below it.
BuildBudget share_memory(const BuildSize& size, std::size_t memory);

}  // namespace hopspan::index
