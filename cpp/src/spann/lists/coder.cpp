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

void put_codes(const Entry& entry, const Place& place, std::byte* block) {
  for (std::size_t code = 0; code < entry.codes.size(); ++code) {
    put_code(block, place.layout.width, code, place.index, entry.codes[code]);
  }
}

// Numbers of a list that are rounded to a byte each.
class Rounding {
 public:
  explicit Rounding(const std::vector<float>& values) {
    if (values.empty()) return;
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    const float step = *high / 255.0F - *low / 255.0F;
    range_ = {*low, std::isfinite(step) ? step : 0.0F};
  }

  std::uint8_t of(float value) const {
    if (!(range_.step > 0.0F)) return 0;
    return static_cast<std::uint8_t>(std::clamp((value - range_.low) / range_.step + 0.5F, 0.0F, 255.0F));
  }
  float value(std::uint8_t byte) const { return range_.low + range_.step * static_cast<float>(byte); }
  void write(std::byte* header) const { std::memcpy(header, &range_, sizeof range_); }

 private:
  distance::ScanRange range_;
};

struct Extras {
  std::vector<float> terms, factors, products;
};

void put_extras(Extras& extras, const distance::ScanShape& shape, std::byte* list) {
  const std::size_t count = extras.terms.size();
  std::byte* const blocks = list + header_bytes(shape);
  const auto at = [&](std::size_t i, std::size_t kind, std::size_t bytes) {
    const Place place(shape, count, i);
    return blocks + place.start + place.layout.extras + bytes * (kind * 2 * place.layout.width + place.index);
  };
  if (shape.extras == distance::ScanExtras::kTerms) {
    for (std::size_t i = 0; i < count; ++i) std::memcpy(at(i, 0, sizeof(float)), &extras.terms[i], sizeof(float));
  }
  if (shape.extras != distance::ScanExtras::kRoundedTermsAndFactors) return;
  const Rounding factors(extras.factors);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t factor = factors.of(extras.factors[i]);
    *at(i, 1, 1) = std::byte{factor};
    extras.terms[i] = finite(extras.terms[i] + factors.value(factor) * extras.products[i]);
  }
  const Rounding terms(extras.terms);
  for (std::size_t i = 0; i < count; ++i) *at(i, 0, 1) = std::byte{terms.of(extras.terms[i])};
  terms.write(list + kTermsAt);
  factors.write(list + kFactorsAt);
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
  std::byte* const blocks = list + header_bytes(shape);
  Entry entry;
  Extras extras;
  for (std::size_t i = 0; i < count; ++i) {
    const Place place(shape, count, i);
    coder.encode(head, vectors + i * coder.dim(), entry);
    put_codes(entry, place, blocks + place.start);
    std::memcpy(blocks + place.start + place.layout.entries + sizeof(std::uint32_t) * place.index, &entries[i],
                sizeof(std::uint32_t));
    extras.terms.push_back(entry.term);
    extras.factors.push_back(entry.factor);
    extras.products.push_back(entry.product);
  }
  put_extras(extras, shape, list);
  if (count % 2 == 0) return;
  const Place after(shape, count, count - 1);
  std::memcpy(blocks + after.start + after.layout.entries + sizeof kNoSlot * (after.index + 1), &kNoSlot,
              sizeof kNoSlot);
}

}  // namespace hopspan::spann
