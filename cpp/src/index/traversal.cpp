#include "index/traversal.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "core/checked.h"
#include "hopspan/error.h"
#include "quantize/choose.h"
#include "storage/byte_reader.h"

namespace hopspan::index {
namespace {

constexpr std::size_t kCodesFrom = 1000;  // fewer rows stay in the processor's caches

quantize::Quantizer learn(const vectors::Matrix& all, std::size_t from, const IndexOptions& options,
                          std::size_t threads) {
  const vectors::Matrix rows(all.format(), core::Array<std::byte>::view(all.data(), from * all.stride(), {}));
  if (options.hnsw.codes == CodeKind::kAuto) return quantize::choose_quantizer(rows, threads, options.seed);
  return {rows, options.hnsw.codes == CodeKind::kSq4 ? 4 : 8, options.seed};
}

}  // namespace

bool Traversal::serves(const IndexOptions& options, const vectors::RowFormat& format, std::size_t size) {
  const CodeKind codes = options.hnsw.codes;
  if (codes == CodeKind::kNone || !quantize::Quantizer::serves(options.dtype) || size < kCodesFrom) return false;
  // Rows of bytes are as small as codes of 8 bits for all of their dimensions.
  return !format.bytes || codes == CodeKind::kSq4 || (codes == CodeKind::kAuto && quantize::may_project(format));
}

bool Traversal::saved_in(const storage::ContainerReader& reader) { return reader.has("QUAN"); }

Traversal::Traversal(const vectors::Matrix& rows, std::size_t from, const IndexOptions& options, const AddOptions& how)
    : Traversal(rows, Learnt{from, learn(rows, from, options, how.threads)}, {}, 0) {
  quantizer_.encode(rows_, 0, rows_.size(), how.threads, {}, codes_);
}

Traversal::Traversal(const vectors::Matrix& rows, const storage::ContainerReader& reader)
    : Traversal(rows, read_learnt(rows, reader), reader.array<std::byte>("CODE", false), rows.size()) {}

Traversal::Traversal(const vectors::Matrix& rows, Learnt learnt, core::Array<std::byte> codes, std::size_t size)
    : rows_(rows),
      learnt_from_(learnt.from),
      quantizer_(std::move(learnt.quantizer)),
      codes_(quantizer_.code_format(), std::move(codes), size),
      space_(codes_) {}

Traversal::Learnt Traversal::read_learnt(const vectors::Matrix& rows, const storage::ContainerReader& reader) {
  std::vector<std::byte> bytes(reader.size("QUAN"));
  reader.read("QUAN", 0, bytes.data(), bytes.size());
  storage::ByteReader in(bytes.data(), bytes.size(), "the quantizer");
  const std::uint64_t from = in.u64();
  if (from == 0 || from > rows.size()) {
    throw CorruptIndexError("codes learnt from " + std::to_string(from) + " of " + std::to_string(rows.size()) +
                            " vectors");
  }
  Learnt learnt{static_cast<std::size_t>(from), quantize::Quantizer(rows.format(), in)};
  in.finish();
  return learnt;
}

Traversal::Before Traversal::encode(const std::vector<std::uint32_t>& slots, const AddOptions& how) {
  Before before{size(), learnt_from_, quantize::Codes(quantizer_.code_format())};
  const std::size_t reused = static_cast<std::size_t>(
      std::lower_bound(slots.begin(), slots.end(), static_cast<std::uint32_t>(size())) - slots.begin());
  for (std::size_t i = 0; i < reused;) {
    std::size_t run = 1;
    while (i + run < reused && slots[i + run] == slots[i] + run) ++run;
    quantizer_.encode(rows_, slots[i], run, how.threads, {}, before.codes);
    i += run;
  }
  if (reused != 0) codes_.mutable_row(0);
  quantizer_.encode(rows_, size(), slots.size() - reused, how.threads, {}, codes_);
  swap_codes(slots, before.codes);
  learnt_from_ -= std::min(reused, learnt_from_ - 1);
  return before;
}

void Traversal::undo(const std::vector<std::uint32_t>& slots, Before& before) noexcept {
  swap_codes(slots, before.codes);
  codes_.resize(before.size);
  learnt_from_ = before.learnt_from;
}

// Exchanges the codes of the first slots with all that `other` has.
void Traversal::swap_codes(const std::vector<std::uint32_t>& slots, quantize::Codes& other) noexcept {
  for (std::size_t i = 0; i < other.size(); ++i) {
    std::byte* const theirs = other.mutable_row(i);
    std::swap_ranges(theirs, theirs + other.stride(), codes_.mutable_row(slots[i]));
  }
}

void Traversal::keep(const std::vector<std::uint32_t>& kept) {
  core::Array<std::byte> rows;
  rows.resize(core::checked_mul(kept.size(), codes_.stride()));
  std::byte* out = rows.mutable_data();
  for (const std::uint32_t slot : kept) {
    std::memcpy(out, codes_.row(slot), codes_.stride());
    out += codes_.stride();
  }
  codes_ = quantize::Codes(quantizer_.code_format(), std::move(rows), kept.size());
  learnt_from_ = std::min(learnt_from_, kept.size());
}

void Traversal::save(storage::ContainerWriter& writer) const {
  storage::ByteWriter learnt;
  learnt.u64(learnt_from_);
  quantizer_.write(learnt);
  writer.write("QUAN", learnt.data(), learnt.size());
  writer.write("CODE", codes_.rows().data(), codes_.rows().size());
}

}  // namespace hopspan::index
