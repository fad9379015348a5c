#include <cmath>
#include <vector>

#include "spann/gaussians.h"
#include "spann/lists/codebook.h"
#include "test.h"

using hopspan::spann::Codebook;
using hopspan::test::gaussians;

TEST(codebook_codes_come_back_close_to_what_they_stand_for) {
  for (const std::size_t dim : {1, 7, 12}) {
    const auto rows = gaussians(2000, dim, 1);
    const float* const all = reinterpret_cast<const float*>(rows.data());
    const Codebook book = Codebook::train(all, 2000, dim, 2, {});
    double error = 0.0, size = 0.0;
    for (std::size_t i = 0; i < 2000; ++i) {
      std::vector<std::uint8_t> codes(book.codes());
      std::vector<float> back(Codebook::padded(dim));
      book.encode(all + i * dim, nullptr, 0.0F, codes.data());
      book.decode(codes.data(), back.data());
      for (std::size_t d = 0; d < dim; ++d) {
        const double value = static_cast<double>(all[i * dim + d]);
        error += std::pow(value - static_cast<double>(back[d]), 2);
        size += std::pow(value, 2);
      }
    }
    CHECK(error < 0.1 * size);
  }
}

TEST(codebook_does_not_depend_on_the_number_of_threads) {
  const auto rows = gaussians(2000, 12, 1);
  const float* const all = reinterpret_cast<const float*>(rows.data());
  CHECK(Codebook::train(all, 2000, 12, 1, {}).words() == Codebook::train(all, 2000, 12, 3, {}).words());
}
