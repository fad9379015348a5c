#include "hopspan/error.h"
#include "index/meta.h"
#include "test.h"

namespace {

using namespace hopspan;
using index::Meta;

Meta example() {
  Meta meta;
  meta.options.dim = 77;
  meta.options.metric = Metric::kCosine;
  meta.options.kind = Kind::kHnsw;
  meta.options.dtype = DType::kInt8;
  meta.options.seed = 0x123456789ABCDEF0;
  meta.options.hnsw = {24, 300, true, false};
  meta.size = 5;
  meta.next_id = 9;
  meta.explicit_ids = true;
  return meta;
}

Meta again(const Meta& meta) {
  storage::ByteWriter bytes;
  index::write_meta(meta, bytes);
  storage::ByteReader reader(bytes.data(), bytes.size(), "META");
  return index::read_meta(reader);
}

template <typename Change>
void refuse(const char* message, Change&& change) {
  Meta meta = example();
  change(meta);
  CHECK_THROWS(CorruptIndexError, message, again(meta));
}

}  // namespace

TEST(index_meta_survives_writing) {
  for (const bool flag : {false, true}) {
    Meta meta = example();
    meta.options.hnsw.extend_candidates = flag;
    meta.options.hnsw.keep_pruned_connections = !flag;
    const Meta copy = again(meta);
    CHECK(copy.options.dim == 77 && copy.options.metric == Metric::kCosine && copy.options.kind == Kind::kHnsw);
    CHECK(copy.options.dtype == DType::kInt8 && copy.options.seed == 0x123456789ABCDEF0);
    CHECK(copy.options.hnsw.M == 24 && copy.options.hnsw.ef_construction == 300);
    CHECK(copy.options.hnsw.extend_candidates == flag && copy.options.hnsw.keep_pruned_connections == !flag);
    CHECK(copy.size == 5 && copy.next_id == 9 && copy.explicit_ids && copy.removed == 0);
    meta.removed = 2;
    CHECK_EQUAL(again(meta).removed, std::uint64_t{2});
  }
}

TEST(index_meta_says_how_and_where_rows_are) {
  Meta meta = example();
  meta.options.dtype = DType::kFloat32;
  CHECK(!again(meta).bytes && again(meta).options.hnsw.vectors == Place::kMemory);
  meta.bytes = true;
  meta.options.hnsw.vectors = Place::kDisk;
  CHECK(again(meta).bytes && again(meta).options.hnsw.vectors == Place::kDisk);
}

TEST(index_meta_refuses_what_no_index_is) {
  refuse("rows of bytes are not for kind spann, nor for dtype int8", [](Meta& m) { m.bytes = true; });
  refuse("vectors on disk need codes in memory", [](Meta& m) { m.options.hnsw.vectors = Place::kDisk; });
  refuse("vectors on disk need codes in memory", [](Meta& m) {
    m.options.dtype = DType::kFloat32;
    m.options.hnsw.vectors = Place::kDisk;
    m.options.hnsw.codes = CodeKind::kNone;
  });
  refuse("dim must be 1..65536, not 0", [](Meta& m) { m.options.dim = 0; });
  refuse("unknown metric number 9", [](Meta& m) { m.options.metric = static_cast<Metric>(9); });
  refuse("unknown dtype number 9", [](Meta& m) { m.options.dtype = static_cast<DType>(9); });
  refuse("unknown kind number 9", [](Meta& m) { m.options.kind = static_cast<Kind>(9); });
  refuse("M must be 2..512, not 1", [](Meta& m) { m.options.hnsw.M = 1; });
  refuse("ef_construction must be 24..65536, not 23", [](Meta& m) { m.options.hnsw.ef_construction = 23; });
  refuse("4294967296 vectors", [](Meta& m) { m.size = m.next_id = std::uint64_t{1} << 32; });
  refuse("5 vectors, 0 of them removed, with ids below 4", [](Meta& m) { m.next_id = 4; });
  refuse("5 vectors, 0 of them removed, with ids below 9", [](Meta& m) { m.explicit_ids = false; });
  refuse("5 vectors, 6 of them removed", [](Meta& m) { m.removed = 6; });
  refuse("5 vectors, 1 of them removed, with ids below 3", [](Meta& m) {
    m.removed = 1;
    m.next_id = 3;
  });
  refuse("5 vectors, 1 of them removed", [](Meta& m) {
    m.removed = 1;
    m.explicit_ids = false;
    m.next_id = 5;
  });
  refuse("ids below 9223372036854775809", [](Meta& m) { m.next_id = (std::uint64_t{1} << 63) + 1; });
}

TEST(index_meta_of_a_flat_index_ignores_the_graph_options) {
  Meta meta = example();
  meta.options.kind = Kind::kFlat;
  meta.options.hnsw.M = 0;
  CHECK(again(meta).options.kind == Kind::kFlat);
}
