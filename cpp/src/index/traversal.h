// The codes that a graph is walked on in place of its rows, kept in step with them: row i has code i.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "hnsw/space.h"
#include "hopspan/options.h"
#include "quantize/codes.h"
#include "quantize/quantizer.h"
#include "storage/container.h"
#include "vectors/matrix.h"

namespace hopspan::index {

class Traversal {
 public:
  // Learns from the first `from` rows and encodes all of them.
  Traversal(const vectors::Matrix& rows, std::size_t from, const IndexOptions& options, const AddOptions& how);
  // As saved, perhaps mapped. Throws CorruptIndexError unless the sections hold codes for these rows.
  Traversal(const vectors::Matrix& rows, const storage::ContainerReader& reader);
  Traversal(const Traversal&) = delete;
  Traversal& operator=(const Traversal&) = delete;

  // Whether indexes of these options, with so many rows of this format, are walked on codes.
  static bool serves(const IndexOptions& options, const vectors::RowFormat& format, std::size_t size);
  static bool saved_in(const storage::ContainerReader& reader);

  // Whether, of so many rows, so many have come since it learnt, or in place of those it learnt from, that it should
  // learn anew.
  bool outgrown(std::size_t rows) const noexcept { return rows > 2 * learnt_from_; }
  std::size_t size() const noexcept { return codes_.size(); }
  // Whether codes order near rows nearly as the rows themselves do, by the sample that they were learnt from.
  bool tells_apart() const noexcept { return quantizer_.fidelity().candidates <= kMostCandidates; }
  const hnsw::Space& space() const noexcept { return space_; }
  CodeKind kind() const noexcept { return quantizer_.bits() == 4 ? CodeKind::kSq4 : CodeKind::kSq8; }
  std::size_t stride() const noexcept { return codes_.stride(); }
  std::size_t bytes() const noexcept { return codes_.rows().capacity_bytes(); }

  std::size_t query_bytes() const { return quantizer_.code_format().query_bytes(); }
  // prepared: for the rows. out: query_bytes(), prepared for space().
  void prepare(const void* prepared, void* out) const { quantizer_.prepare(prepared, out); }
  // How many candidates to keep for ranking by the rows beyond those that the walk expands.
  std::size_t spare(std::size_t k) const { return quantizer_.bits() == 4 ? 2 * k : 0; }
  float least_distance(float code_distance) const { return quantizer_.least_distance(code_distance); }

  // What an update replaced.
  struct Before {
    std::size_t size;
    std::size_t learnt_from;
    quantize::Codes codes;  // of the slots below `size`
  };
  // Encodes the rows of new slots, ascending, of which those beyond size() follow it. When it throws, nothing has
  // changed.
  Before encode(const std::vector<std::uint32_t>& slots, const AddOptions& how);
  void undo(const std::vector<std::uint32_t>& slots, Before& before) noexcept;
  // Drops the rows that are not kept, ascending, at least one; the matrix follows. When it throws, nothing has changed.
  void keep(const std::vector<std::uint32_t>& kept);

  void save(storage::ContainerWriter& writer) const;

 private:
  struct Learnt {
    std::size_t from;  // so many rows
    quantize::Quantizer quantizer;
  };
  Traversal(const vectors::Matrix& rows, Learnt learnt, core::Array<std::byte> codes, std::size_t size);
  static Learnt read_learnt(const vectors::Matrix& rows, const storage::ContainerReader& reader);

  void swap_codes(const std::vector<std::uint32_t>& slots, quantize::Codes& other) noexcept;

  static constexpr double kMostCandidates = 12.0;  // for the ten nearest

  const vectors::Matrix& rows_;
  std::size_t learnt_from_;  // rows that have not been replaced since
  quantize::Quantizer quantizer_;
  quantize::Codes codes_;
  hnsw::Space space_;
};

}  // namespace hopspan::index
