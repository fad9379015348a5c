// Heads of 8 bits a dimension: a step of each head's own, around the mean of all. What is decoded is the head;
// residuals are taken from it. A query is rounded to 8 bits too and compared with all of them, and as it is with the
// nearest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/array.h"
#include "core/buffer.h"
#include "distance/kernels.h"
#include "hopspan/options.h"
#include "spann/clustering/ranked_heads.h"

namespace hopspan::spann {

struct HeadCodes {
  core::Array<float> middle;       // dim
  core::Array<float> steps;        // of each head
  core::Array<std::int8_t> codes;  // dim of each head
};

HeadCodes encode_heads(const float* heads, std::size_t count, std::size_t dim);

class CodedHeads {
 public:
  // What a thread needs.
  struct Work {
    std::vector<std::uint32_t> numbers;  // 0, 1, 2, ...
    std::vector<std::int8_t> query;
    std::vector<float> products;
    std::vector<Nearest> near;
    core::Buffer head;
  };

  // The codes are of a dim above 0, as encode_heads makes them.
  CodedHeads(HeadCodes codes, Metric metric);

  std::size_t count() const noexcept { return codes_.steps.size(); }
  std::size_t dim() const noexcept { return codes_.middle.size(); }
  const HeadLengths& lengths() const noexcept { return lengths_; }
  std::size_t bytes() const noexcept;

  // out: dim() floats.
  void decode(std::size_t head, float* out) const;

  // The `most` <= count() nearest heads by the distance of RankedHeads, nearest first and ties by number.
  void probe(const float* query, std::size_t most, Work& work, Nearest* out) const;

 private:
  struct Rounded;

  Rounded round(const float* query, Work& work) const;
  // Distances by the rounded query, less what is the same for all heads.
  void compare(const Rounded& query, std::size_t first, std::size_t count, Work& work) const;
  float distance(const float* query, std::size_t head, float* decoded) const;

  HeadCodes codes_;
  Metric metric_;
  distance::ManyFn compare_;  // codes with codes, as under ip
  HeadLengths lengths_;
  std::vector<float> squares_;  // of the distance from the mean, under l2
};

}  // namespace hopspan::spann
