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
#include "quantize/fidelity.h"
#include "quantize/sample.h"
#include "storage/byte_reader.h"
#include "vectors/matrix.h"

namespace hopspan::quantize {

class Quantizer {
 public:
  // True for rows of floats; other rows are codes themselves.
  static bool serves(DType dtype);

  // Learns from a sample of the rows, at least one; the same for one seed. bits: of a code, 8 or 4.
  Quantizer(const vectors::Matrix& rows, int bits, std::uint64_t seed);

  // Throws CorruptIndexError unless the bytes are what write() wrote for this format.
  Quantizer(const vectors::RowFormat& format, storage::ByteReader& reader);
  void write(storage::ByteWriter& writer) const;

  int bits() const noexcept { return bits_; }
  CodeFormat code_format() const;

  // Appends the codes of rows [first, first + count). When it throws, `codes` is as before.
  void encode(const vectors::Matrix& rows, std::size_t first, std::size_t count, std::size_t threads,
              const Progress& progress, Codes& codes) const;

  // The code of one row: dim elements as read_row gives them; `codes` is room. Of a query, which is used up.
  void encode_values(const float* values, std::vector<int>& codes, std::byte* out) const;
  void prepare_values(std::vector<float>& values, std::byte* out) const;

  // prepared: a query as vectors::prepare_query makes it. out: code_format().query_bytes().
  void prepare(const void* prepared, void* out) const;

  // The squared distance that the distance of two codes stands for; under ip something that orders as distances do.
  float squared_distance(float code_distance) const;
  // What the distance of a row is at least, but for about one in a hundred, when that of its codes is `code_distance`.
  // Nothing is known under ip: minus infinity.
  float least_distance(float code_distance) const;
  const Fidelity& fidelity() const noexcept { return fidelity_; }

 private:
  bool learn_whole_numbers(const Sample& sample);
  int top() const noexcept;
  void place_query(std::vector<float>& values) const;

  vectors::RowFormat format_;
  int bits_;
  std::vector<float> centre_;
  float step_ = 1.0f;
  Fidelity fidelity_;
};

}  // namespace hopspan::quantize
