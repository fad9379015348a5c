#include "index/list_sections.h"

#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "core/checked.h"
#include "hopspan/error.h"
#include "spann/lists/format.h"
#include "spann/lists/product_coder.h"

namespace hopspan::index {
namespace {

std::vector<float> read_floats(const storage::ContainerReader& reader, storage::Tag tag) {
  const core::Array<float> stored = reader.array<float>(tag, true);
  return std::vector<float>(stored.data(), stored.data() + stored.size());
}

void expect(storage::Tag tag, std::size_t found, std::size_t expected) {
  if (found == expected) return;
  throw CorruptIndexError("section " + tag.text() + " holds " + std::to_string(found) + " values, not " +
                          std::to_string(expected));
}

bool all_finite(const std::vector<float>& values) {
  for (const float value : values) {
    if (!std::isfinite(value)) return false;
  }
  return true;
}

// What has been met of each slot.
class Census {
 public:
  explicit Census(std::size_t size) : first_copies_(size, false), last_list_(size, spann::kNoSlot) {}

  void add(std::uint32_t list, std::uint32_t entry) {
    const std::uint32_t slot = spann::slot_of(entry);
    if (slot >= first_copies_.size()) fail(list, slot, "which does not exist");
    if (last_list_[slot] == list) fail(list, slot, "twice");
    last_list_[slot] = list;
    if ((entry & spann::kReplica) != 0) return;
    if (first_copies_[slot]) fail(list, slot, "whose first copy is in another");
    first_copies_[slot] = true;
  }

  void finish(core::FunctionRef<bool(std::uint32_t slot)> held) const {
    for (std::uint32_t slot = 0; slot < first_copies_.size(); ++slot) {
      const bool met = last_list_[slot] != spann::kNoSlot;
      if (met && !held(slot)) fail(last_list_[slot], slot, "which was removed");
      if (held(slot) && !first_copies_[slot]) throw CorruptIndexError("no list holds vector " + std::to_string(slot));
    }
  }

 private:
  [[noreturn]] static void fail(std::uint32_t list, std::uint32_t slot, const char* what) {
    throw CorruptIndexError("list " + std::to_string(list) + " holds vector " + std::to_string(slot) + " " + what);
  }

  std::vector<bool> first_copies_;
  std::vector<std::uint32_t> last_list_;
};

}  // namespace

void write_lists(const spann::Lists& lists, storage::ContainerWriter& writer) {
  writer.write("SPHD", lists.heads.data(), lists.heads.size() * sizeof(float));
  writer.write("SPCB", lists.codebook.words().data(), lists.codebook.words().size() * sizeof(float));
  std::vector<std::uint32_t> sizes;
  for (const spann::ListArray& list : lists.lists) {
    std::uint32_t entries;
    std::memcpy(&entries, list.data(), sizeof entries);
    sizes.push_back(entries);
  }
  writer.write("SPSZ", sizes.data(), sizes.size() * sizeof(std::uint32_t));
  writer.begin("SPBL");
  for (const spann::ListArray& list : lists.lists) writer.append(list.data(), list.size());
  writer.end();
}

bool has_earlier_lists(const storage::ContainerReader& reader) {
  return reader.has("SPLS") || reader.has("LIST") || reader.has("LST2");
}

void refuse_earlier_lists(const storage::ContainerReader& reader) {
  if (has_earlier_lists(reader)) {
    throw VersionError(reader.file().name() + ": its lists are of a version before the first release; build it again");
  }
}

spann::Lists read_lists(const storage::ContainerReader& reader, std::size_t dim, Metric metric) {
  refuse_earlier_lists(reader);
  const core::Array<std::uint32_t> sizes = reader.array<std::uint32_t>("SPSZ", true);
  spann::Lists lists;
  lists.heads = read_floats(reader, "SPHD");
  expect("SPHD", lists.heads.size(), core::checked_mul(sizes.size(), dim));
  std::vector<float> words = read_floats(reader, "SPCB");
  expect("SPCB", words.size(), sizes.size() == 0 ? 0 : spann::Codebook::padded(dim) / 2 * 2 * spann::kWords);
  lists.codebook = spann::Codebook(dim, std::move(words));
  const distance::ScanShape shape = spann::product_shape(dim, metric);
  const auto all = std::make_shared<const spann::ListArray>(reader.array<std::byte>("SPBL", false));
  std::size_t offset = 0;
  for (std::size_t l = 0; l < sizes.size(); ++l) {
    const std::size_t bytes = spann::list_bytes(shape, sizes[l]);
    if (bytes > all->size() - offset) expect("SPBL", all->size(), core::checked_add(offset, bytes));
    lists.lists.push_back(spann::ListArray::view(all->data() + offset, bytes, all));
    offset += bytes;
  }
  expect("SPBL", all->size(), offset);
  return lists;
}

void validate(const spann::Lists& lists, std::size_t dim, Metric metric, std::size_t size,
              core::FunctionRef<bool(std::uint32_t slot)> held) {
  if (!all_finite(lists.heads)) throw CorruptIndexError("a head is not finite");
  if (!all_finite(lists.codebook.words())) throw CorruptIndexError("a word of the codebook is not finite");
  const distance::ScanShape shape = spann::product_shape(dim, metric);
  Census census(size);
  for (std::uint32_t l = 0; l < lists.lists.size(); ++l) {
    const spann::ListView view(lists.lists[l].data(), lists.lists[l].size(), shape);
    for (std::size_t i = 0; i < view.entries(); ++i) census.add(l, view.entry(i));
  }
  census.finish(held);
}

}  // namespace hopspan::index
