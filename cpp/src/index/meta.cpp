#include "index/meta.h"

#include <algorithm>
#include <limits>
#include <string>

#include "hnsw/graph.h"
#include "hopspan/error.h"
#include "quantize/quantizer.h"
#include "vectors/matrix.h"
#include "vectors/names.h"

namespace hopspan::index {
namespace {

constexpr std::uint32_t kMinM = 2;
constexpr std::uint32_t kMaxM = 512;
constexpr std::uint32_t kMaxEfConstruction = 65536;
constexpr std::uint32_t kMinListBytes = 256;
constexpr std::uint32_t kMaxListBytes = 1 << 20;
constexpr std::uint32_t kMaxReplicas = 8;
constexpr std::uint32_t kMaxClosureHeads = 1024;
constexpr float kMaxClosureRatio = 100.0F;

enum Flag : std::uint8_t {
  kExplicitIds = 1,
  kExtendCandidates = 2,
  kKeepPrunedConnections = 4,
  kRemoved = 8,
  kBytes = 16,
  kOnDisk = 32,
  kAllFlags = 63
};

void check_range(const char* name, std::uint32_t value, std::uint32_t least, std::uint32_t most) {
  if (value >= least && value <= most) return;
  throw InvalidArgument(std::string(name) + " must be " + std::to_string(least) + ".." + std::to_string(most) +
                        ", not " + std::to_string(value));
}

void check_spann(const IndexOptions& options) {
  const SpannOptions& spann = options.spann;
  if (options.dtype == DType::kBinary) throw InvalidArgument("kind spann is not for binary vectors");
  if (spann.list_bytes != 0) check_range("list_bytes", spann.list_bytes, kMinListBytes, kMaxListBytes);
  if (spann.replicas != 0) check_range("replicas", spann.replicas, 1, kMaxReplicas);
  check_range("closure_heads", spann.closure_heads, std::max(spann.replicas, 1U), kMaxClosureHeads);
  if (!(spann.closure_ratio >= 1.0F && spann.closure_ratio <= kMaxClosureRatio)) {
    throw InvalidArgument("closure_ratio must be 1..100, not " + std::to_string(spann.closure_ratio));
  }
  if (spann.closure > Closure::kSoar) {
    throw InvalidArgument("unknown closure number " + std::to_string(static_cast<int>(spann.closure)));
  }
}

void write_spann(const SpannOptions& spann, storage::ByteWriter& writer) {
  writer.u32(spann.list_bytes);
  writer.u32(spann.replicas);
  writer.u32(spann.closure_heads);
  writer.f32(spann.closure_ratio);
  writer.u8(static_cast<std::uint8_t>(spann.closure));
  writer.u8(spann.data_heads ? 1 : 0);
}

SpannOptions read_spann(storage::ByteReader& reader) {
  SpannOptions spann;
  spann.list_bytes = reader.u32();
  spann.replicas = reader.u32();
  spann.closure_heads = reader.u32();
  spann.closure_ratio = reader.f32();
  spann.closure = static_cast<Closure>(reader.u8());
  spann.data_heads = reader.u8() != 0;
  return spann;
}

void check_codes(const IndexOptions& options) {
  if (options.hnsw.codes > CodeKind::kSq4) {
    throw InvalidArgument("unknown codes number " + std::to_string(static_cast<int>(options.hnsw.codes)));
  }
  if (options.hnsw.codes > CodeKind::kNone && !quantize::Quantizer::serves(options.dtype)) {
    throw InvalidArgument(std::string("codes need a floating-point dtype, not ") + vectors::name(options.dtype));
  }
  if (options.hnsw.vectors > Place::kDisk) {
    throw InvalidArgument("unknown place number " + std::to_string(static_cast<int>(options.hnsw.vectors)));
  }
  if (options.hnsw.vectors == Place::kMemory) return;
  if (options.hnsw.codes == CodeKind::kNone || !quantize::Quantizer::serves(options.dtype)) {
    throw InvalidArgument("vectors on disk need codes in memory: a floating-point dtype, and not codes 'none'");
  }
}

void check_counts(const Meta& meta) {
  constexpr std::uint64_t kMaxNextId = std::uint64_t{1} << 63;
  const bool ids_good = meta.explicit_ids ? meta.next_id <= kMaxNextId && meta.removed <= meta.size &&
                                                meta.next_id >= meta.size - meta.removed
                                          : meta.next_id == meta.size && meta.removed == 0;
  if (meta.size > hnsw::kMaxNodes || !ids_good) {
    throw CorruptIndexError(std::to_string(meta.size) + " vectors, " + std::to_string(meta.removed) +
                            " of them removed, with ids below " + std::to_string(meta.next_id) + " are not possible");
  }
}

}  // namespace

void check_options(const IndexOptions& options) {
  vectors::check_format({options.dim, options.metric, options.dtype});
  if (options.kind > Kind::kSpann) {
    throw InvalidArgument("unknown kind number " + std::to_string(static_cast<int>(options.kind)));
  }
  if (options.kind == Kind::kSpann) check_spann(options);
  if (options.kind != Kind::kHnsw) return;
  check_range("M", options.hnsw.M, kMinM, kMaxM);
  check_range("ef_construction", options.hnsw.ef_construction, options.hnsw.M, kMaxEfConstruction);
  check_codes(options);
}

void write_meta(const Meta& meta, storage::ByteWriter& writer) {
  const HnswOptions& hnsw = meta.options.hnsw;
  writer.u8(static_cast<std::uint8_t>(meta.options.kind));
  writer.u8(static_cast<std::uint8_t>(meta.options.metric));
  writer.u8(static_cast<std::uint8_t>(meta.options.dtype));
  writer.u8(static_cast<std::uint8_t>(
      (meta.explicit_ids ? kExplicitIds : 0) | (hnsw.extend_candidates ? kExtendCandidates : 0) |
      (hnsw.keep_pruned_connections ? kKeepPrunedConnections : 0) | (meta.removed != 0 ? kRemoved : 0) |
      (meta.bytes ? kBytes : 0) | (hnsw.vectors == Place::kDisk ? kOnDisk : 0)));
  writer.u32(hnsw.M);
  writer.u32(hnsw.ef_construction);
  writer.u64(meta.options.dim);
  writer.u64(meta.options.seed);
  writer.u64(meta.size);
  writer.u64(meta.next_id);
  if (meta.options.kind == Kind::kSpann) write_spann(meta.options.spann, writer);
  if (meta.options.kind == Kind::kHnsw) writer.u8(static_cast<std::uint8_t>(hnsw.codes));
  if (meta.removed != 0) writer.u64(meta.removed);
}

Meta read_meta(storage::ByteReader& reader) {
  Meta meta;
  meta.options.kind = static_cast<Kind>(reader.u8());
  meta.options.metric = static_cast<Metric>(reader.u8());
  meta.options.dtype = static_cast<DType>(reader.u8());
  const std::uint8_t flags = reader.u8();
  meta.explicit_ids = (flags & kExplicitIds) != 0;
  meta.bytes = (flags & kBytes) != 0;
  meta.options.hnsw.extend_candidates = (flags & kExtendCandidates) != 0;
  meta.options.hnsw.keep_pruned_connections = (flags & kKeepPrunedConnections) != 0;
  meta.options.hnsw.vectors = (flags & kOnDisk) != 0 ? Place::kDisk : Place::kMemory;
  meta.options.hnsw.M = reader.u32();
  meta.options.hnsw.ef_construction = reader.u32();
  meta.options.dim = reader.u64();
  meta.options.seed = reader.u64();
  meta.size = reader.u64();
  meta.next_id = reader.u64();
  if (meta.options.kind == Kind::kSpann) meta.options.spann = read_spann(reader);
  // Absent in files written before there were codes.
  if (meta.options.kind == Kind::kHnsw) {
    meta.options.hnsw.codes = reader.remaining() == 0 ? CodeKind::kNone : static_cast<CodeKind>(reader.u8());
  }
  if ((flags & kRemoved) != 0) meta.removed = reader.u64();
  reader.finish();
  if ((flags & ~kAllFlags) != 0) {
    throw CorruptIndexError("unknown flags " + std::to_string(flags));
  }
  try {
    check_options(meta.options);
  } catch (const Error& error) {
    throw CorruptIndexError(std::string("the options are not those of an index: ") + error.what());
  }
  if (meta.bytes && (meta.options.dtype != DType::kFloat32 || meta.options.kind == Kind::kSpann)) {
    throw CorruptIndexError(std::string("rows of bytes are not for kind spann, nor for dtype ") +
                            vectors::name(meta.options.dtype));
  }
  check_counts(meta);
  return meta;
}

Meta load_meta(const storage::ContainerReader& reader) {
  std::vector<std::byte> bytes(reader.size("META"));
  reader.read("META", 0, bytes.data(), bytes.size());
  storage::ByteReader meta(bytes.data(), bytes.size(), "section META");
  return read_meta(meta);
}

}  // namespace hopspan::index
