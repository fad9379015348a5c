#include "quantize/sample.h"

#include <algorithm>
#include <cstring>

#include "core/buffer.h"
#include "core/checked.h"
#include "core/random.h"
#include "vectors/query.h"

namespace hopspan::quantize {

void read_prepared(const vectors::RowFormat& format, const void* prepared, float* out) {
  std::memcpy(out, prepared, format.dim * sizeof(float));
  if (format.metric != Metric::kCosine) return;
  float scale;
  std::memcpy(&scale, static_cast<const std::byte*>(prepared) + format.dim * sizeof(float), sizeof scale);
  for (std::size_t j = 0; j < format.dim; ++j) out[j] *= scale;
}

void read_row(const vectors::Matrix& rows, std::size_t slot, void* room, float* out) {
  vectors::prepare_stored(rows, slot, room);
  read_prepared(rows.format(), room, out);
}

Sample draw_sample(const vectors::Matrix& rows, std::uint64_t seed) {
  constexpr std::size_t kRows = 20000, kValues = std::size_t{1} << 24, kFewestRows = 256;
  const std::size_t dim = rows.format().dim;
  const std::size_t size = std::min(rows.size(), std::min(kRows, std::max(kValues / dim, kFewestRows)));
  Sample sample{size, dim, std::vector<float>(core::checked_mul(size, dim))};
  core::Buffer room(vectors::prepared_bytes(rows.format()));
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t begin = core::checked_mul(i, rows.size()) / size;
    const std::size_t end = core::checked_mul(i + 1, rows.size()) / size;
    read_row(rows, begin + core::random_u64(seed, i) % (end - begin), room.data(), sample.row(i));
  }
  return sample;
}

}  // namespace hopspan::quantize
