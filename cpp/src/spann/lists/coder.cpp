#include "spann/lists/coder.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "spann/lists/format.h"

namespace hopspan::spann {
namespace {

constexpr std::size_t kValues = 16;  // of a code

void put_code(std::byte* block, std::size_t width, std::size_t code, std::size_t j, std::uint8_t value) {
  std::byte& both = block[code * width + j % width];
  both |= j < width ? std::byte{value} : static_cast<std::byte>(value << 4);
}

void put(const Entry& entry, std::uint32_t number, const distance::ScanShape& shape, const Place& place,
         std::byte* blocks) {
  std::byte* const block = blocks + place.start;
  const BlockLayout& layout = place.layout;
  for (std::size_t code = 0; code < entry.codes.size(); ++code) {
    put_code(block, layout.width, code, place.index, entry.codes[code]);
  }
  const float floats[2] = {entry.term, entry.factor};
  for (std::size_t kind = 0; kind < static_cast<std::size_t>(shape.floats); ++kind) {
    std::memcpy(block + layout.floats + sizeof(float) * (kind * 2 * layout.width + place.index), &floats[kind],
                sizeof(float));
  }
  std::memcpy(block + layout.entries + sizeof number * place.index, &number, sizeof number);
}

}  // namespace

void Tables::round() {
  const std::size_t codes = values.size() / kValues;
  bytes.resize(values.size());
  least.resize(codes);
  offset = 0.0F;
  float widest = 0.0F, all = 0.0F;
  for (std::size_t code = 0; code < codes; ++code) {
    const auto [low, high] = std::minmax_element(&values[code * kValues], &values[code * kValues] + kValues);
    least[code] = *low;
    offset += *low;
    widest = std::max(widest, *high - *low);
    all += *high - *low;
  }
  scale = std::max(widest / 255.0F, all / (65535.0F - static_cast<float>(codes)));
  if (!std::isfinite(scale) || !std::isfinite(offset)) scale = offset = 0.0F;
  const float inverse = scale > 0.0F ? 1.0F / scale : 0.0F;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float steps = (values[i] - least[i / kValues]) * inverse + 0.5F;
    bytes[i] = static_cast<std::uint8_t>(static_cast<int>(steps < 255.5F ? steps : 255.5F));
  }
}

void write_list(const Coder& coder, const float* head, const float* vectors, const std::uint32_t* entries,
                std::size_t count, std::byte* list) {
  const distance::ScanShape& shape = coder.shape();
  std::memset(list, 0, list_bytes(shape, count));
  const std::uint32_t total = static_cast<std::uint32_t>(count);
  std::memcpy(list, &total, sizeof total);
  std::byte* const blocks = list + kListHeaderBytes;
  Entry entry;
  for (std::size_t i = 0; i < count; ++i) {
    coder.encode(head, vectors + i * coder.dim(), entry);
    put(entry, entries[i], shape, Place(shape, count, i), blocks);
  }
  if (count % 2 == 0) return;
  const Place after(shape, count, count - 1);
  std::memcpy(blocks + after.start + after.layout.entries + sizeof kNoSlot * (after.index + 1), &kNoSlot,
              sizeof kNoSlot);
}

}  // namespace hopspan::spann
