// How much effort (ef) a recall target takes: recall measured at rising efforts, for a few values of k.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "storage/byte_reader.h"

namespace hopspan::index {

class Calibration {
 public:
  Calibration() = default;
  // size: of the index when it was measured. ks and efforts rise; recalls[j][i] belongs to ks[j] and efforts[i] and is
  // 0 where the effort is below k.
  Calibration(std::size_t size, std::vector<std::uint32_t> ks, std::vector<std::uint32_t> efforts,
              std::vector<std::vector<double>> recalls);

  bool empty() const noexcept { return efforts_.empty(); }
  std::size_t size() const noexcept { return size_; }

  // The effort, to the nearest step, that a recall target takes for k neighbours out of `size`, in [k, size]. Without
  // measurements, all of it.
  std::size_t effort(std::size_t k, double recall, std::size_t size) const;

  void write(storage::ByteWriter& writer) const;
  // Throws CorruptIndexError unless the bytes are those of a calibration.
  static Calibration read(storage::ByteReader& reader);

 private:
  double effort_at(std::size_t j, double recall) const;
  double extrapolate(std::size_t j, double recall) const;

  std::size_t size_ = 0;
  std::vector<std::uint32_t> ks_;
  std::vector<std::uint32_t> efforts_;
  std::vector<std::vector<double>> recalls_;
};

}  // namespace hopspan::index
