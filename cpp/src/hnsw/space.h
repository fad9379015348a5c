// The vectors of a graph together with the kernels that compare them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "distance/kernels.h"
#include "vectors/matrix.h"
#include "vectors/query.h"

namespace hopspan::hnsw {

class Space {
 public:
  explicit Space(const vectors::Matrix& rows)
      : rows_(&rows),
        kernel_(distance::kernels()
                    .kernels[static_cast<int>(rows.format().metric)][static_cast<int>(rows.format().dtype)]) {}

  const vectors::Matrix& rows() const noexcept { return *rows_; }

  // A stored row as a prepared query; `room` holds it where the row itself does not serve.
  const void* as_query(std::uint32_t slot, core::Buffer& room) const {
    const DType dtype = rows_->format().dtype;
    if (dtype != DType::kFloat16 && dtype != DType::kBFloat16) return rows_->row(slot);
    room.resize(vectors::prepared_bytes(rows_->format()));
    vectors::prepare_stored(*rows_, slot, room.data());
    return room.data();
  }

  float distance(const void* query, std::uint32_t slot) const {
    return kernel_.one(query, rows_->row(slot), rows_->format().dim);
  }
  void distances(const void* query, const std::uint32_t* slots, std::size_t count, float* out) const {
    kernel_.many(query, rows_->data(), rows_->stride(), slots, count, rows_->format().dim, out);
  }

 private:
  const vectors::Matrix* rows_;
  distance::Kernel kernel_;
};

}  // namespace hopspan::hnsw
