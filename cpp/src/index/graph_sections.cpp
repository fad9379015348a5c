#include "index/graph_sections.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/checked.h"
#include "hopspan/error.h"
#include "storage/byte_reader.h"

namespace hopspan::index {
namespace {

storage::Tag level_tag(const char (&kind)[3], std::size_t level) {
  const char name[5] = {kind[0], kind[1], static_cast<char>('0' + level / 10), static_cast<char>('0' + level % 10), 0};
  return storage::Tag(name);
}

void write_array(storage::ContainerWriter& writer, storage::Tag tag, const core::Array<std::uint32_t>& array) {
  writer.write(tag, array.data(), array.size() * sizeof(std::uint32_t));
}

core::Array<std::uint32_t> read_array(const storage::ContainerReader& reader, storage::Tag tag, std::size_t size) {
  core::Array<std::uint32_t> array = reader.array<std::uint32_t>(tag, false);
  if (array.size() == size) return array;
  throw CorruptIndexError("section " + tag.text() + " holds " + std::to_string(array.size()) + " numbers, not " +
                          std::to_string(size));
}

}  // namespace

void write_graph(const hnsw::Graph& graph, storage::ContainerWriter& writer) {
  storage::ByteWriter shape;
  shape.u32(graph.entry);
  shape.count(graph.levels.size());
  for (const hnsw::Level& level : graph.levels) shape.u64(level.size);
  if (graph.replaced != 0) shape.u64(graph.replaced);
  writer.write("GRPH", shape.data(), shape.size());
  for (std::size_t l = 0; l < graph.levels.size(); ++l) {
    write_array(writer, level_tag("LK", l), graph.levels[l].links);
    if (l == 0) continue;
    write_array(writer, level_tag("SL", l), graph.levels[l].slots);
    write_array(writer, level_tag("BL", l), graph.levels[l].below);
  }
}

hnsw::Graph read_graph(const storage::ContainerReader& reader, const HnswOptions& options, std::size_t least,
                       std::size_t most) {
  std::vector<std::byte> bytes(reader.size("GRPH"));
  reader.read("GRPH", 0, bytes.data(), bytes.size());
  storage::ByteReader shape(bytes.data(), bytes.size(), "the shape of the graph");
  hnsw::Graph graph(options);
  graph.entry = shape.u32();
  const std::size_t levels = shape.count(sizeof(std::uint64_t));
  if (levels == 0 || levels > hnsw::kMaxLevels) {
    throw CorruptIndexError("the graph has " + std::to_string(levels) + " levels; 1 to " +
                            std::to_string(hnsw::kMaxLevels) + " are possible");
  }
  graph.levels.resize(levels);
  graph.entry_level = levels - 1;
  for (std::size_t l = 0; l < levels; ++l) {
    hnsw::Level& level = graph.levels[l];
    level.size = shape.u64();
    level.width = l == 0 ? graph.levels[0].width : options.M;
    if (level.size > most || level.size < least) {
      throw CorruptIndexError("level " + std::to_string(l) + " of the graph has " + std::to_string(level.size) +
                              " nodes above " + std::to_string(most));
    }
    least = 1;
    most = level.size;
    level.links = read_array(reader, level_tag("LK", l), core::checked_mul(level.size, level.width));
    if (l == 0) continue;
    level.slots = read_array(reader, level_tag("SL", l), level.size);
    level.below = read_array(reader, level_tag("BL", l), level.size);
  }
  if (shape.remaining() != 0) graph.replaced = shape.u64();
  shape.finish();
  const bool entered = graph.size() == 0 ? graph.entry == hnsw::kNone : graph.entry < graph.levels.back().size;
  if (!entered) throw CorruptIndexError("the graph has no entry point " + std::to_string(graph.entry));
  return graph;
}

void write_pending(const std::vector<std::uint32_t>& slots, storage::ContainerWriter& writer) {
  if (slots.empty()) return;
  writer.write("PEND", slots.data(), slots.size() * sizeof(std::uint32_t));
}

std::vector<std::uint32_t> read_pending(const storage::ContainerReader& reader, std::size_t rows) {
  if (!reader.has("PEND")) return {};
  const core::Array<std::uint32_t> stored = reader.array<std::uint32_t>("PEND", false);
  std::vector<std::uint32_t> slots(stored.data(), stored.data() + stored.size());
  const auto falls = [](std::uint32_t a, std::uint32_t b) { return a >= b; };
  if (std::adjacent_find(slots.begin(), slots.end(), falls) != slots.end() || (!slots.empty() && slots.back() >= rows))
    throw CorruptIndexError("the pending rows do not ascend below " + std::to_string(rows));
  return slots;
}

}  // namespace hopspan::index
