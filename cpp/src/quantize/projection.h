// A linear map of rows to fewer dimensions that keeps their distances as far as it can: onto the principal directions
// of a sample, rotated at random among themselves so that all dimensions of the outcome are alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "storage/byte_reader.h"

namespace hopspan::quantize {

inline constexpr std::size_t kMostProjected = 4096;  // dimensions of rows; what is learned takes their square

class Projection {
 public:
  // directions: output_dim orthonormal rows of input_dim floats.
  Projection(std::size_t input_dim, const std::vector<float>& directions);

  // Throws CorruptIndexError unless the bytes are what write() wrote for this input dimension.
  Projection(std::size_t input_dim, storage::ByteReader& reader);
  void write(storage::ByteWriter& writer) const;

  std::size_t output_dim() const noexcept { return matrix_.size() / input_dim_; }
  // row: input_dim floats. out: output_dim().
  void apply(const float* row, float* out) const;

 private:
  std::size_t input_dim_;
  std::vector<std::uint16_t> matrix_;  // rows of float16
};

}  // namespace hopspan::quantize
