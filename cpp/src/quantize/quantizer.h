// Makes codes of rows and of queries: a row less a centre, on one uniform grid for all dimensions.
//
// Under l2 and cosine (on normalised rows) the centre is the middle of each dimension and the distance of two codes is
// in proportion to the squared distance of what they stand for. Under ip the centre is zero, and a query has a grid of
// its own, which changes no order. Under l2 and cosine, rows may be projected to fewer dimensions before the grid.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "hopspan/options.h"
#include "quantize/codes.h"
#include "quantize/fidelity.h"
#include "quantize/projection.h"
#include "quantize/sample.h"
#include "storage/byte_reader.h"
#include "vectors/matrix.h"

namespace hopspan::quantize {

class Quantizer {
 public:
  // True for rows of floats; other rows are codes themselves.
  static bool serves(DType dtype);

  // Learns from a sample of at least one row. bits: of a code, 8 or 4. centre: of the sample, before the projection.
  Quantizer(const vectors::RowFormat& format, const Sample& sample, int bits);
  Quantizer(const vectors::RowFormat& format, const Sample& sample, int bits, std::vector<float> centre,
            Projection projection);
  // Draws the sample; the same for one seed.
  Quantizer(const vectors::Matrix& rows, int bits, std::uint64_t seed);

  // Throws CorruptIndexError unless the bytes are what write() wrote for this format.
  Quantizer(const vectors::RowFormat& format, storage::ByteReader& reader);
  void write(storage::ByteWriter& writer) const;

  int bits() const noexcept { return bits_; }
  CodeFormat code_format() const;

  // Appends the codes of rows [first, first + count). When it throws, `codes` is as before.
  void encode(const vectors::Matrix& rows, std::size_t first, std::size_t count, std::size_t threads,
              const Progress& progress, Codes& codes) const;

  // The code of one row, dim elements as read_row gives them, which are used up; and of a query.
  void encode_values(std::vector<float>& values, std::byte* out) const;
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
  void place(std::vector<float>& values) const;
  std::vector<float> grid_values(const Sample& sample) const;

  vectors::RowFormat format_;
  int bits_;
  std::vector<float> centre_;
  float step_ = 1.0f;
  std::optional<Projection> projection_;
  Fidelity fidelity_;
};

}  // namespace hopspan::quantize
