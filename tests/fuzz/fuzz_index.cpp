// Any bytes as an index: either an error of the library, or an index that can be searched, checked and added to. Loaded
// as a copy with everything verified, and as a mapping with nothing verified but header and section table.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "index/samples.h"
#include "index/store.h"
#include "storage/container_bytes.h"

using namespace hopspan;
using namespace hopspan::test;
using index::Store;

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

Bytes small_index(std::uint64_t seed) {
  IndexOptions options;
  options.kind = seed % 4 == 0 ? Kind::kFlat : Kind::kHnsw;
  options.dtype = static_cast<DType>(seed / 4 % 6);
  options.metric = options.dtype == DType::kBinary ? Metric::kHamming : static_cast<Metric>(seed / 24 % 3);
  options.dim = 1 + seed / 72 % 9;
  options.seed = seed;
  options.hnsw.M = 2 + static_cast<std::uint32_t>(seed % 3);
  options.hnsw.ef_construction = 8;
  Store store(options);
  const Vectors data = make_vectors(options.dtype, seed % 40, options.dim, seed);
  std::vector<std::int64_t> ids;
  for (std::size_t i = 0; i < data.rows; ++i) ids.push_back(static_cast<std::int64_t>(1000 - 7 * i));
  store.add(data.view(), seed % 2 == 0 ? ids.data() : nullptr, {});
  return store.to_bytes();
}

// The same sections with right checksums, if the section table can still be read.
Bytes sealed(Bytes bytes) {
  try {
    seal(bytes);
    const storage::ContainerReader reader = open_bytes(bytes);
    Contents contents;
    for (const storage::Section& section : reader.sections()) {
      const std::byte* begin = bytes.data() + section.offset;
      contents.emplace_back(section.tag, Bytes(begin, begin + section.size));
    }
    return container_bytes(reader.file_id(), contents);
  } catch (const Error&) {
    return bytes;
  }
}

template <typename Use>
void may_refuse(Use&& use) {
  try {
    use();
  } catch (const Error&) {
  }
}

void use(Store& store) {
  const Vectors some = make_vectors(store.options().dtype, 3, store.options().dim, 1);
  std::vector<std::int64_t> ids(3 * 4);
  std::vector<float> distances(3 * 4);
  SearchOptions options;
  options.k = 4;
  options.threads = 1;
  AddOptions alone;
  alone.threads = 1;
  const auto search = [&] { store.search(some.view(), options, ids.data(), distances.data()); };
  may_refuse(search);
  may_refuse([&] { store.check(true); });
  may_refuse([&] { store.stats(); });
  may_refuse([&] { store.add(some.view(), nullptr, alone); });
  may_refuse(search);
  may_refuse([&] { store.to_bytes(); });
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned int seed) {
  if (size < storage::kHeaderBytes + storage::kFooterBytes) {
    const Bytes start = small_index(seed);
    if (start.size() <= max_size) {
      std::memcpy(data, start.data(), start.size());
      return start.size();
    }
  }
  size = LLVMFuzzerMutate(data, size, max_size);
  if (seed % 4 == 0 || size < storage::kHeaderBytes + storage::kFooterBytes) return size;
  const std::byte* begin = reinterpret_cast<const std::byte*>(data);
  const Bytes right = sealed(Bytes(begin, begin + size));
  if (right.size() > max_size) return size;
  std::memcpy(data, right.data(), right.size());
  return right.size();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::byte* begin = reinterpret_cast<const std::byte*>(data);
  may_refuse([&] {
    Store copy(std::make_shared<storage::MemoryFile>("fuzz.hs", begin, size), true);
    use(copy);
  });
  may_refuse([&] {
    Store mapped(std::make_shared<MappedBytes>(Bytes(begin, begin + size)), false);
    use(mapped);
  });
  return 0;
}
