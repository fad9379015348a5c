// The vectors of a source as float32, for a build that never has all of them in memory.
#pragma once

#include "spann/floats.h"
#include "vectors/source.h"

namespace hopspan::spann::external {

class SourceFloats final : public Floats {
 public:
  // Both must outlive it; every row of the source has been found good.
  SourceFloats(const vectors::Source& source, const vectors::RowFormat& format) : source_(source), format_(format) {}

  std::size_t size() const override { return source_.rows(); }
  std::size_t dim() const override { return format_.dim; }

  // Slots that follow each other are read together.
  void gather(const std::uint32_t* slots, std::size_t count, float* out) const override {
    for (std::size_t begin = 0, end; begin < count; begin = end) {
      for (end = begin + 1; end < count && slots[end] == slots[begin] + (end - begin);) ++end;
      read(slots[begin], end - begin, out + begin * dim());
    }
  }

  void read(std::size_t first, std::size_t count, float* out) const override {
    vectors::Matrix rows(format_);
    vectors::read_stored(source_, first, count, rows);
    for (std::size_t i = 0; i < count; ++i) stored_to_floats(format_, rows.row(i), out + i * dim());
  }

 private:
  const vectors::Source& source_;
  const vectors::RowFormat& format_;
};

}  // namespace hopspan::spann::external
