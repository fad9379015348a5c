// Makes lists of vectors: codes of what they differ by from their list's head.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hopspan/options.h"
#include "spann/lists/codebook.h"
#include "spann/lists/format.h"

namespace hopspan::spann {

class Encoder {
 public:
  // The codebook must outlive it.
  Encoder(const Codebook& codebook, Metric metric);

  const distance::ScanShape& shape() const noexcept { return shape_; }

  // Writes an entry for each of `count` vectors behind the `before` entries that the list has; `list` has room for
  // list_bytes of them all. entries: slots, with or without kReplica.
  void append(const float* head, const float* vectors, const std::uint32_t* entries, std::size_t count,
              std::size_t before, std::byte* list) const;

 private:
  struct Work {
    std::vector<float> residual;
    std::vector<float> room;
    std::vector<std::uint8_t> codes;
  };

  void encode_one(const float* head, const float* vector, std::uint32_t entry, std::size_t position, Work& work,
                  std::byte* blocks) const;
  float factor(const float* head, Work& work) const;

  const Codebook& codebook_;
  distance::ScanShape shape_;
  float stretch_;
};

}  // namespace hopspan::spann
