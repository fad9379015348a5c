// The vectors of a build as float32, whatever holds them; of unit length under cosine.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "vectors/elements.h"
#include "vectors/matrix.h"

namespace hopspan::spann {

// Any number of threads may read at once.
class Floats {
 public:
  Floats() = default;
  virtual ~Floats() = default;
  Floats(const Floats&) = delete;
  Floats& operator=(const Floats&) = delete;

  virtual std::size_t size() const = 0;
  virtual std::size_t dim() const = 0;
  // out: count * dim() floats. Slots ascend.
  virtual void gather(const std::uint32_t* slots, std::size_t count, float* out) const = 0;
  virtual void read(std::size_t first, std::size_t count, float* out) const = 0;
};

// A stored row; of unit length under cosine.
inline void stored_to_floats(const vectors::RowFormat& format, const void* row, float* out) {
  vectors::row_to_floats(format, row, out);
  if (format.metric != Metric::kCosine) return;
  const float scale = vectors::row_scale(format, row);
  for (std::size_t d = 0; d < format.dim; ++d) out[d] *= scale;
}

// A prepared query as codes take it: of unit length under cosine.
inline void query_to_floats(const vectors::RowFormat& format, const void* prepared, float* out) {
  vectors::query_to_floats(format, prepared, out);
  if (format.metric != Metric::kCosine) return;
  double square = 0.0;
  for (std::size_t d = 0; d < format.dim; ++d) square += static_cast<double>(out[d]) * static_cast<double>(out[d]);
  const double scale = 1.0 / std::sqrt(square);
  for (std::size_t d = 0; d < format.dim; ++d) out[d] = static_cast<float>(static_cast<double>(out[d]) * scale);
}

// The rows [begin, end) of a matrix; numbers start at 0.
class MatrixFloats : public Floats {
 public:
  MatrixFloats(const vectors::Matrix& rows, std::size_t begin, std::size_t end)
      : rows_(rows), begin_(begin), end_(end) {}
  explicit MatrixFloats(const vectors::Matrix& rows) : MatrixFloats(rows, 0, rows.size()) {}

  std::size_t size() const override { return end_ - begin_; }
  std::size_t dim() const override { return rows_.format().dim; }

  void gather(const std::uint32_t* slots, std::size_t count, float* out) const override {
    for (std::size_t i = 0; i < count; ++i)
      stored_to_floats(rows_.format(), rows_.row(begin_ + slots[i]), out + i * dim());
  }
  void read(std::size_t first, std::size_t count, float* out) const override {
    for (std::size_t i = 0; i < count; ++i)
      stored_to_floats(rows_.format(), rows_.row(begin_ + first + i), out + i * dim());
  }

 private:
  const vectors::Matrix& rows_;
  std::size_t begin_;
  std::size_t end_;
};

// Some rows of a matrix, by their place among them.
class PickedFloats : public Floats {
 public:
  PickedFloats(const vectors::Matrix& rows, const std::vector<std::uint32_t>& slots) : rows_(rows), slots_(slots) {}

  std::size_t size() const override { return slots_.size(); }
  std::size_t dim() const override { return rows_.format().dim; }

  void gather(const std::uint32_t* places, std::size_t count, float* out) const override {
    for (std::size_t i = 0; i < count; ++i) copy(places[i], out + i * dim());
  }
  void read(std::size_t first, std::size_t count, float* out) const override {
    for (std::size_t i = 0; i < count; ++i) copy(first + i, out + i * dim());
  }

 private:
  void copy(std::size_t place, float* out) const { stored_to_floats(rows_.format(), rows_.row(slots_[place]), out); }

  const vectors::Matrix& rows_;
  const std::vector<std::uint32_t>& slots_;
};

}  // namespace hopspan::spann
