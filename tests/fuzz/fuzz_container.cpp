// Any bytes as a container: either a CorruptIndexError or VersionError, or every section can be read, and reading it as
// a mapping, as a whole and in parts gives the same bytes.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "storage/container.h"
#include "storage/container_bytes.h"

using namespace hopspan;
using namespace hopspan::test;

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void read_section(const storage::ContainerReader& copied, const storage::ContainerReader& mapped,
                  const storage::Section& section) {
  const core::Array<std::byte> view = mapped.array<std::byte>(section.tag, true);
  const core::Array<std::byte> copy = copied.array<std::byte>(section.tag, false);
  require(view.size() == section.size && copy.size() == section.size);
  require(std::equal(view.data(), view.data() + view.size(), copy.data()));
  Bytes middle(section.size / 3);
  copied.read(section.tag, section.size / 3, middle.data(), middle.size());
  require(std::equal(middle.begin(), middle.end(), copy.data() + section.size / 3));
}

}  // namespace

// Half of the inputs get right checksums for header, table and footer.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned int seed) {
  if (size < storage::kHeaderBytes + storage::kFooterBytes) {
    const Bytes start =
        container_bytes(seed, {{"meta", random_bytes(seed % 100, seed)}, {"data", random_bytes(70, 1)}});
    if (start.size() <= max_size) {
      std::memcpy(data, start.data(), start.size());
      return start.size();
    }
  }
  size = LLVMFuzzerMutate(data, size, max_size);
  if (seed % 2 == 0 && size >= storage::kHeaderBytes + storage::kFooterBytes) {
    seal(reinterpret_cast<std::byte*>(data), size);
  }
  return size;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto* begin = reinterpret_cast<const std::byte*>(data);
  try {
    const storage::ContainerReader copied(std::make_shared<storage::MemoryFile>("fuzz.hs", begin, size));
    const storage::ContainerReader mapped(std::make_shared<MappedBytes>(Bytes(begin, begin + size)));
    for (const storage::Section& section : copied.sections()) read_section(copied, mapped, section);
    copied.verify();
  } catch (const CorruptIndexError&) {
  } catch (const VersionError&) {
  }
  return 0;
}
