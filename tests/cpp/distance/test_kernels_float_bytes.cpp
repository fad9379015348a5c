// Kernels of float32 queries and rows of bytes, beside those of the same rows as float32.
#include <cstring>

#include "distance/guarded.h"
#include "distance/kernels.h"
#include "distance/reference.h"
#include "test.h"

namespace hopspan::test {
namespace {

// With a scale behind the elements, which only cosine reads.
template <typename T>
std::vector<unsigned char> with_scale(const std::vector<T>& elements, float scale) {
  std::vector<unsigned char> bytes(elements.size() * sizeof(T) + sizeof scale);
  if (!elements.empty()) std::memcpy(bytes.data(), elements.data(), elements.size() * sizeof(T));
  std::memcpy(bytes.data() + elements.size() * sizeof(T), &scale, sizeof scale);
  return bytes;
}

TEST(kernels_of_float_bytes_give_what_float32_rows_give) {
  for (std::size_t dim = 0; dim < 300; ++dim) {
    Generator random(dim);
    std::vector<float> query(dim), row(dim);
    std::vector<std::uint8_t> bytes(dim);
    for (std::size_t j = 0; j < dim; ++j) {
      query[j] = 300.0F * random.real();
      bytes[j] = static_cast<std::uint8_t>(random.bits() % 256);
      row[j] = static_cast<float>(bytes[j]);
    }
    const auto asked = with_scale(query, 0.5F), wide = with_scale(row, 0.25F);
    for (const bool cosine : {false, true}) {
      std::vector<unsigned char> narrow = with_scale(bytes, 0.25F);
      if (!cosine) narrow.resize(dim);
      Guarded memory(narrow.size() + 64);
      const void* const at_guard = memory.place(narrow, 0);
      for (const char* isa : kAllIsas) {
        const distance::KernelTable* const table = distance::find_kernels(isa);
        if (table == nullptr) continue;
        for (std::size_t metric = cosine ? 2 : 0; metric < (cosine ? 3 : 2); ++metric) {
          const float expected = table->kernels[metric][0].one(asked.data(), wide.data(), dim);
          CHECK_EQUAL(table->float_bytes[metric].one(asked.data(), at_guard, dim), expected);
          const std::uint32_t slots[] = {0, 0, 0};
          float got[3];
          table->float_bytes[metric].many(asked.data(), at_guard, 0, slots, 3, dim, got);
          for (const float distance : got) CHECK_EQUAL(distance, expected);
        }
      }
    }
  }
}

}  // namespace
}  // namespace hopspan::test
