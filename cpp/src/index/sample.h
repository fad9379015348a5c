// Queries made ready to be searched for: those of a caller, or stored rows that stand for such.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/buffer.h"
#include "hopspan/matrix_view.h"
#include "index/exact/panels.h"
#include "vectors/matrix.h"

namespace hopspan::index {

class Sample {
 public:
  Sample(const vectors::RowFormat& format, std::size_t count);

  std::size_t count() const noexcept { return count_; }
  exact::Queries queries() const noexcept { return {prepared_.data(), stride_, count_}; }
  // The slot of each held-out query, to which it must not count as a neighbour; null for a caller's queries.
  const std::uint32_t* excluded() const noexcept { return slots_.empty() ? nullptr : slots_.data(); }
  // The slots of held-out queries, ascending; it is up to the caller from now on to keep them out.
  std::vector<std::uint32_t> take_slots();

 private:
  friend Sample prepare_queries(const vectors::RowFormat& format, const MatrixView& queries);
  friend Sample held_out(const vectors::Matrix& rows, std::size_t count, std::uint64_t seed,
                         const std::vector<std::uint32_t>& holes);

  std::size_t stride_;
  std::size_t count_;
  core::Buffer prepared_;
  std::vector<std::uint32_t> slots_;
};

// The queries have passed vectors::check_queries.
Sample prepare_queries(const vectors::RowFormat& format, const MatrixView& queries);

// `count` distinct rows, or all when there are fewer, in random order; seed: of the draw; holes: slots that do not take
// part, ascending.
Sample held_out(const vectors::Matrix& rows, std::size_t count, std::uint64_t seed,
                const std::vector<std::uint32_t>& holes = {});

}  // namespace hopspan::index
