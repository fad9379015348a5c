// How entries are coded in a list, and how a query is compared with their codes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "distance/scan.h"

namespace hopspan::spann {

// A query's look-up tables (distance/scan.h). What a code stands for is, within the rounding to 8 bits, the offset and
// scale times the sum of the bytes.
struct Tables {
  std::vector<std::uint8_t> bytes;
  float scale = 0.0F;
  float offset = 0.0F;
  std::vector<float> values;  // what the bytes round, 16 for each code
  std::vector<float> least;   // of each code
  std::vector<float> query;   // as codes have it

  // Makes the bytes of the values.
  void round();
};

// One vector's part of a list.
struct Entry {
  std::vector<std::uint8_t> codes;  // half a byte each
  float term = 0.0F;
  float factor = 0.0F;
  float product = 0.0F;  // that the factor multiplies and that is part of the term, too, once the factor is rounded
  std::vector<float> residual;  // room
  std::vector<float> other;     // room
};

// What overflowed becomes the largest number.
inline float finite(float value) {
  constexpr float most = std::numeric_limits<float>::max();
  return value > -most && value < most ? value : most;
}

// Distances are those of Centers::probe: the score of an entry and the distance of its head make that of the vector.
// Safe to use from any number of threads.
class Coder {
 public:
  explicit Coder(const distance::ScanShape& shape) : shape_(shape) {}
  virtual ~Coder() = default;
  Coder(const Coder&) = delete;
  Coder& operator=(const Coder&) = delete;

  const distance::ScanShape& shape() const noexcept { return shape_; }
  virtual std::size_t dim() const noexcept = 0;

  virtual void encode(const float* head, const float* vector, Entry& entry) const = 0;
  virtual void make_tables(const float* query, Tables& tables) const = 0;

 private:
  distance::ScanShape shape_;
};

// Writes a list of `count` vectors; `list` has room for list_bytes of them. entries: slots, with or without kReplica.
void write_list(const Coder& coder, const float* head, const float* vectors, const std::uint32_t* entries,
                std::size_t count, std::byte* list);

}  // namespace hopspan::spann
