#include "quantize/projection.h"

#include <algorithm>

#include "distance/kernels.h"
#include "hopspan/error.h"
#include "vectors/convert.h"

namespace hopspan::quantize {

Projection::Projection(std::size_t input_dim, const std::vector<float>& directions)
    : input_dim_(input_dim), matrix_(directions.size()) {
  vectors::narrow_to_float16(directions.data(), directions.size(), matrix_.data());
}

Projection::Projection(std::size_t input_dim, storage::ByteReader& reader)
    : input_dim_(input_dim), matrix_(reader.count(sizeof(std::uint16_t))) {
  reader.bytes(matrix_.data(), matrix_.size() * sizeof(std::uint16_t));
  if (matrix_.empty() || matrix_.size() % input_dim != 0 || output_dim() > input_dim)
    throw CorruptIndexError("a projection of " + std::to_string(matrix_.size()) + " numbers for rows of " +
                            std::to_string(input_dim));
  if (!vectors::all_finite(matrix_.data(), matrix_.size(), vectors::kFloat16Exponent))
    throw CorruptIndexError("a projection with a number that is not finite");
}

void Projection::write(storage::ByteWriter& writer) const {
  writer.count(matrix_.size());
  writer.bytes(matrix_.data(), matrix_.size() * sizeof(std::uint16_t));
}

void Projection::apply(const float* row, float* out) const {
  constexpr std::size_t kAtOnce = 64;
  const distance::Kernel& kernel = distance::kernels().dot_float16;
  std::uint32_t rows[kAtOnce];
  for (std::size_t first = 0; first < output_dim(); first += kAtOnce) {
    const std::size_t count = std::min(kAtOnce, output_dim() - first);
    for (std::size_t i = 0; i < count; ++i) rows[i] = static_cast<std::uint32_t>(first + i);
    kernel.many(row, matrix_.data(), input_dim_ * sizeof(std::uint16_t), rows, count, input_dim_, out + first);
  }
}

}  // namespace hopspan::quantize
