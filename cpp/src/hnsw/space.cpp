#include "hnsw/space.h"

#include "vectors/elements.h"
#include "vectors/query.h"

namespace hopspan::hnsw {

Space::Space(const vectors::Matrix& rows)
    : rows_(&rows),
      stride_(rows.stride()),
      dim_(rows.format().dim),
      kernel_(vectors::kernel_of(rows.format())),
      rows_are_queries_(vectors::query_dtype(rows.format()) == rows.format().stored()) {}

Space Space::among(const vectors::Matrix& rows) {
  Space space(rows);
  if (!rows.format().bytes) return space;
  vectors::RowFormat integers = rows.format();
  integers.dtype = integers.stored();
  integers.bytes = false;
  space.kernel_ = vectors::kernel_of(integers);
  space.rows_are_queries_ = true;
  return space;
}

Space::Space(const quantize::Codes& codes)
    : codes_(&codes),
      stride_(codes.stride()),
      dim_(codes.kernel_dim()),
      kernel_(codes.kernel()),
      rows_are_queries_(false) {}

bool Space::is_product() const noexcept {
  return (codes_ == nullptr ? rows_->format().metric : codes_->format().metric) == Metric::kIp;
}

const void* Space::as_query(std::uint32_t slot, core::Buffer& room) const {
  if (codes_ != nullptr) return codes_->as_query(slot, room);
  if (rows_are_queries_) return rows_->row(slot);
  room.resize(vectors::prepared_bytes(rows_->format()));
  vectors::prepare_stored(*rows_, slot, room.data());
  return room.data();
}

}  // namespace hopspan::hnsw
