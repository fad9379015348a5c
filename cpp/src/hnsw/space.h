// What a graph is built over and walked on: vectors, or the codes that stand for them, with the kernel that compares
// them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/buffer.h"
#include "core/prefetch.h"
#include "distance/kernels.h"
#include "quantize/codes.h"
#include "vectors/matrix.h"

namespace hopspan::hnsw {

class Space {
 public:
  explicit Space(const vectors::Matrix& rows);
  // For queries by as_query only: rows of bytes are compared as such.
  static Space among(const vectors::Matrix& rows);
  explicit Space(const quantize::Codes& codes);

  // Distances of the metric ip can be negative.
  bool is_product() const noexcept;
  std::size_t size() const noexcept { return codes_ == nullptr ? rows_->size() : codes_->size(); }

  // A slot as a prepared query; `room` holds it where the stored bytes do not serve.
  const void* as_query(std::uint32_t slot, core::Buffer& room) const;

  // Asks for the start of a slot ahead of its distance.
  void prefetch(std::uint32_t slot) const { core::prefetch(data() + slot * stride_, std::min(stride_, kAhead)); }

  float distance(const void* query, std::uint32_t slot) const {
    return kernel_.one(query, data() + slot * stride_, dim_);
  }
  void distances(const void* query, const std::uint32_t* slots, std::size_t count, float* out) const {
    kernel_.many(query, data(), stride_, slots, count, dim_, out);
  }

 private:
  static constexpr std::size_t kAhead = 128;  // what lies behind, the processor's own prefetchers see coming

  const std::byte* data() const noexcept { return codes_ == nullptr ? rows_->data() : codes_->data(); }

  const vectors::Matrix* rows_ = nullptr;
  const quantize::Codes* codes_ = nullptr;
  std::size_t stride_;
  std::size_t dim_;
  distance::Kernel kernel_;
  bool rows_are_queries_;  // as they are stored
};

}  // namespace hopspan::hnsw
