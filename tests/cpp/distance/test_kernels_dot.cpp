// The product of float32 queries and float16 rows, beside a reference in double.
#include <cmath>

#include "distance/kernels.h"
#include "distance/reference.h"
#include "test.h"

namespace hopspan::test {
namespace {

TEST(kernels_of_dot_products_are_near_the_reference) {
  for (std::size_t dim = 1; dim < 300; ++dim) {
    Generator random(dim);
    std::vector<float> query(dim);
    std::vector<std::uint16_t> row(dim);
    double sum = 0, size = 0;
    for (std::size_t j = 0; j < dim; ++j) {
      query[j] = random.real();
      row[j] = static_cast<std::uint16_t>(random.bits() % 0x4000 | random.bits() % 2 << 15);  // below 2 in magnitude
      const double product = query[j] * half_value(row[j]);
      sum += product;
      size += std::fabs(product);
    }
    for (const char* isa : kAllIsas) {
      const distance::KernelTable* const table = distance::find_kernels(isa);
      if (table == nullptr) continue;
      const float got = table->dot_float16.one(query.data(), row.data(), dim);
      CHECK(std::fabs(got - sum) <= size * static_cast<double>(dim) * 0x1p-23);
    }
  }
}

}  // namespace
}  // namespace hopspan::test
