// The kernels of 4-bit codes: every instruction set gives exactly what whole numbers give.
#include <algorithm>
#include <string>

#include "distance/guarded.h"
#include "distance/kernels.h"
#include "distance/reference.h"
#include "test.h"

namespace hopspan::test {
namespace {

enum { kL2Codes, kIpCodes };
constexpr std::size_t kMaxDimension = 1100;

// Codes with the values that they stand for, and a query; 2c - u stays in int8 for every c.
struct Codes4 {
  Bytes row;
  std::vector<int> codes;
};

Codes4 random_codes(Generator& random, std::size_t dim) {
  Codes4 made{Bytes((dim + 1) / 2), std::vector<int>(dim)};
  for (std::size_t j = 0; j < dim; ++j) {
    made.codes[j] = static_cast<int>(random.bits() % 16);
    made.row[j / 2] = static_cast<unsigned char>(made.row[j / 2] | made.codes[j] << (j % 2 * 4));
  }
  return made;
}

struct Query4 {
  Bytes bytes;
  std::vector<int> u;
  float summand = 0;
};

Query4 query_of(const std::vector<int>& u, float summand) {
  const std::size_t half = (u.size() + 1) / 2;
  Query4 query{Bytes(2 * half), u, summand};
  for (std::size_t j = 0; j < u.size(); ++j) query.bytes[j / 2 + j % 2 * half] = static_cast<unsigned char>(u[j]);
  append(query.bytes, summand);
  return query;
}

Query4 random_query(Generator& random, std::size_t dim, int metric) {
  std::vector<int> u(dim);
  for (int& x : u)
    x = static_cast<int>(random.bits() % (metric == kL2Codes ? 225 : 255)) - (metric == kL2Codes ? 97 : 127);
  return query_of(u, static_cast<float>(random.bits() % 1000));
}

float expected(int metric, const Query4& query, const std::vector<int>& codes) {
  long long sum = 0;
  for (std::size_t j = 0; j < codes.size(); ++j)
    sum += codes[j] * (metric == kL2Codes ? 2 * codes[j] - query.u[j] : query.u[j]);
  const auto rounded = static_cast<float>(sum);
  return metric == kL2Codes ? query.summand + rounded : query.summand - rounded;
}

void check(const char* isa, int metric, std::size_t dim, float got, float wanted) {
  if (got == wanted) return;
  fail(__FILE__, __LINE__,
       std::string(isa) + (metric == kL2Codes ? " l2" : " ip") + " dim " + std::to_string(dim) + ": " +
           std::to_string(got) + " is not " + std::to_string(wanted));
}

template <typename F>
void for_each_kernel(F&& f) {
  for (const char* isa : kAllIsas) {
    const distance::KernelTable* const table = distance::find_kernels(isa);
    if (table == nullptr) continue;
    for (const int metric : {kL2Codes, kIpCodes}) f(isa, metric, table->codes4[metric]);
  }
}

TEST(kernels_of_4_bit_codes_are_exact_at_every_dimension_and_offset) {
  Guarded row_memory(4096), query_memory(8192);
  for (std::size_t dim = 0; dim <= kMaxDimension; dim += dim < 300 ? 1 : 17) {
    Generator random(dim);
    const Codes4 made = random_codes(random, dim);
    const Query4 queries[] = {random_query(random, dim, kL2Codes), random_query(random, dim, kIpCodes)};
    for (const std::size_t gap : {dim % 64, std::size_t{0}}) {
      const unsigned char* const row = row_memory.place(made.row, gap);
      for_each_kernel([&](const char* isa, int metric, const distance::Kernel& kernel) {
        const unsigned char* const query = query_memory.place(queries[metric].bytes, gap / 2);
        check(isa, metric, dim, kernel.one(query, row, dim), expected(metric, queries[metric], made.codes));
      });
    }
  }
}

TEST(kernels_of_4_bit_codes_give_many_rows_the_distances_of_one) {
  constexpr std::size_t kRows = 50;
  Guarded memory(64 * 1024);
  for (std::size_t dim : {1, 2, 31, 64, 100, 128, 200, 256, 960}) {
    for (const std::size_t padding : {0, 3}) {
      Generator random(dim);
      const std::size_t stride = (dim + 1) / 2 + padding;
      std::vector<Codes4> rows;
      Bytes matrix;
      for (std::size_t r = 0; r < kRows; ++r) {
        rows.push_back(random_codes(random, dim));
        matrix.insert(matrix.end(), rows[r].row.begin(), rows[r].row.end());
        if (r + 1 < kRows) matrix.insert(matrix.end(), padding, 0xFF);
      }
      const unsigned char* const base = memory.place(matrix, 0);
      const Query4 queries[] = {random_query(random, dim, kL2Codes), random_query(random, dim, kIpCodes)};
      for_each_kernel([&](const char* isa, int metric, const distance::Kernel& kernel) {
        for (std::size_t count = 0; count <= 40; ++count) {
          std::uint32_t slots[40];
          for (std::size_t i = 0; i < count; ++i) slots[i] = static_cast<std::uint32_t>((kRows - 1 + i * 37) % kRows);
          float out[41];
          out[count] = 12345.0f;
          kernel.many(queries[metric].bytes.data(), base, stride, slots, count, dim, out);
          CHECK_EQUAL(out[count], 12345.0f);
          for (std::size_t i = 0; i < count; ++i)
            check(isa, metric, dim, out[i], expected(metric, queries[metric], rows[slots[i]].codes));
        }
      });
    }
  }
}

// Everything at one end of its range, up to the largest dimension, where a sum would overflow first.
TEST(kernels_of_4_bit_codes_add_up_without_overflow) {
  for (const std::size_t dim : {std::size_t{4096}, kMaxDim - 1, kMaxDim}) {
    const Bytes fifteens((dim + 1) / 2, 0xFF);
    std::vector<int> codes(2 * fifteens.size(), 15);
    for (const int u : {-97, 127, -127}) {
      const Query4 query = query_of(std::vector<int>(codes.size(), u), 0.0f);
      for_each_kernel([&](const char* isa, int metric, const distance::Kernel& kernel) {
        if (metric == kL2Codes && u == -127) return;
        check(isa, metric, dim, kernel.one(query.bytes.data(), fifteens.data(), dim), expected(metric, query, codes));
      });
    }
  }
}

}  // namespace
}  // namespace hopspan::test
