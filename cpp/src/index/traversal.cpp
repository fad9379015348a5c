#include "index/traversal.h"

#include <string>
#include <utility>
#include <vector>

#include "hopspan/error.h"
#include "quantize/choose.h"
#include "storage/byte_reader.h"

namespace hopspan::index {
namespace {

constexpr std::size_t kCodesFrom = 1000;  // fewer rows stay in the processor's caches

quantize::Quantizer learn(const vectors::Matrix& rows, const IndexOptions& options, std::size_t threads) {
  if (options.hnsw.codes == CodeKind::kAuto) return quantize::choose_quantizer(rows, threads, options.seed);
  return {rows, options.hnsw.codes == CodeKind::kSq4 ? 4 : 8, options.seed};
}

}  // namespace

bool Traversal::serves(const IndexOptions& options, std::size_t size) {
  return options.hnsw.codes != CodeKind::kNone && quantize::Quantizer::serves(options.dtype) && size >= kCodesFrom;
}

bool Traversal::saved_in(const storage::ContainerReader& reader) { return reader.has("QUAN"); }

Traversal::Traversal(const vectors::Matrix& rows, const IndexOptions& options, const AddOptions& how)
    : Traversal(rows, Learnt{rows.size(), learn(rows, options, how.threads)}, {}, 0) {
  extend(how);
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

void Traversal::extend(const AddOptions& how) {
  quantizer_.encode(rows_, codes_.size(), rows_.size() - codes_.size(), how.threads, {}, codes_);
}

void Traversal::save(storage::ContainerWriter& writer) const {
  storage::ByteWriter learnt;
  learnt.u64(learnt_from_);
  quantizer_.write(learnt);
  writer.begin("QUAN");
  writer.append(learnt.data(), learnt.size());
  writer.end();
  writer.begin("CODE");
  writer.append(codes_.rows().data(), codes_.rows().size());
  writer.end();
}

}  // namespace hopspan::index
