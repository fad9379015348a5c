// Makes codes of rows and of queries: a row less a centre, on one uniform grid for all dimensions.
//
// Under l2 and cosine (on normalised rows) the centre is the middle of each dimension and the distance of two codes is
// in proportion to the squared distance of what they stand for. Under ip the centre is zero, and a query has a grid of
// its own, which changes no order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hopspan/options.h"
#include "quantize/codes.h"
#include "quantize/sample.h"
#include "storage/byte_reader.h"
#include "vectors/matrix.h"

namespace hopspan::quantize {

class Quantizer {
 public:
  // True for rows of floats; other rows are codes themselves.
  static bool serves(DType dtype);

  // Learns from a sample of the rows, at least one; the same for one seed.
  Quantizer(const vectors::Matrix& rows, std::uint64_t seed);

  // Throws CorruptIndexError unless the bytes are what write() wrote for this format.
  Quantizer(const vectors::RowFormat& format, storage::ByteReader& reader);
  void write(storage::ByteWriter& writer) const;

  CodeFormat code_format() const;

  // Appends the codes of rows [first, first + count). When it throws, `codes` is as before.
  void encode(const vectors::Matrix& rows, std::size_t first, std::size_t count, std::size_t threads,
              const Progress& progress, Codes& codes) const;

  // prepared: a query as vectors::prepare_query makes it. out: code_format().query_bytes().
  void prepare(const void* prepared, void* out) const;

 private:
  bool learn_whole_numbers(const Sample& sample);
  void encode_values(const float* values, std::byte* out) const;
  void scale_query(const float* values, std::byte* out) const;

  vectors::RowFormat format_;
  std::vector<float> centre_;
  float step_ = 1.0f;
};

}  // namespace hopspan::quantize
