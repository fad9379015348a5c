#include "hnsw/space.h"

#include "vectors/elements.h"
#include "vectors/query.h"

namespace hopspan::hnsw {

Space::Space(const vectors::Matrix& rows)
    : rows_(&rows),
      metric_(rows.format().metric),
      stride_(rows.stride()),
      dim_(rows.format().dim),
      kernel_(distance::kernels().kernels[static_cast<int>(metric_)][static_cast<int>(rows.format().dtype)]) {}

Space::Space(const quantize::Codes& codes)
    : codes_(&codes),
      metric_(codes.format().metric),
      stride_(codes.stride()),
      dim_(codes.kernel_dim()),
      kernel_(codes.kernel()) {}

void Space::to_floats(std::uint32_t slot, float* out) const {
  if (codes_ != nullptr) return codes_->to_floats(slot, out);
  vectors::row_to_floats(rows_->format(), rows_->row(slot), out);
  if (metric_ != Metric::kCosine) return;
  const float scale = vectors::row_scale(rows_->format(), rows_->row(slot));
  for (std::size_t i = 0; i < dim_; ++i) out[i] *= scale;
}

const void* Space::as_query(std::uint32_t slot, core::Buffer& room) const {
  if (codes_ != nullptr) return codes_->as_query(slot, room);
  const DType dtype = rows_->format().dtype;
  if (dtype != DType::kFloat16 && dtype != DType::kBFloat16) return rows_->row(slot);
  room.resize(vectors::prepared_bytes(rows_->format()));
  vectors::prepare_stored(*rows_, slot, room.data());
  return room.data();
}

}  // namespace hopspan::hnsw
