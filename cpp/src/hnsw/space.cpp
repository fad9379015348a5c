#include "hnsw/space.h"

#include "vectors/query.h"

namespace hopspan::hnsw {

Space::Space(const vectors::Matrix& rows)
    : rows_(&rows),
      stride_(rows.stride()),
      dim_(rows.format().dim),
      kernel_(
          distance::kernels().kernels[static_cast<int>(rows.format().metric)][static_cast<int>(rows.format().dtype)]) {}

Space::Space(const quantize::Codes& codes)
    : codes_(&codes), stride_(codes.stride()), dim_(codes.kernel_dim()), kernel_(codes.kernel()) {}

bool Space::is_product() const noexcept {
  return (codes_ == nullptr ? rows_->format().metric : codes_->format().metric) == Metric::kIp;
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
