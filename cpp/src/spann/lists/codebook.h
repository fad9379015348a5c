// Product codes of a residual: two dimensions at a time, each pair one of 16 words, half a byte (ScaNN,
// 1908.10396). Dimensions are filled up with zeros to a multiple of 4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hopspan/options.h"

namespace hopspan::spann {

inline constexpr std::size_t kWords = 16;

class Codebook {
 public:
  Codebook() = default;
  // words[code * 32 + w] and words[code * 32 + 16 + w] are the two coordinates of word w.
  Codebook(std::size_t dim, std::vector<float> words);

  // residuals: `count` >= 1 of dim floats.
  static Codebook train(const float* residuals, std::size_t count, std::size_t dim, std::size_t threads,
                        const Progress& progress);

  static std::size_t padded(std::size_t dim) { return (dim + 3) / 4 * 4; }

  std::size_t dim() const noexcept { return dim_; }
  std::size_t codes() const noexcept { return padded(dim_) / 2; }
  const std::vector<float>& words() const noexcept { return words_; }

  // codes: codes() bytes below 16. `direction`, when not null, is a unit vector of dim floats; an error along it counts
  // 1 + `stretch` times as much as one across.
  void encode(const float* residual, const float* direction, float stretch, std::uint8_t* codes) const;
  void decode(const std::uint8_t* codes, float* residual) const;

  // values: weight * <the query's part, word> of each code and word.
  void multiply(const float* query, float weight, std::vector<float>& values) const;

 private:
  std::size_t dim_ = 0;
  std::vector<float> words_;
};

}  // namespace hopspan::spann
