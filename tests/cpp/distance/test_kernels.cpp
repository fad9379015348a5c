// Every kernel of every instruction set that this CPU has, against double precision and against each other.
#include <cmath>
#include <string>

#include "distance/guarded.h"
#include "distance/kernels.h"
#include "distance/reference.h"
#include "hopspan/error.h"
#include "test.h"

namespace hopspan::test {
namespace {

constexpr std::size_t kMaxGap = 63;

std::vector<std::size_t> all_dims() {
  std::vector<std::size_t> dims;
  for (std::size_t dim = 0; dim <= 132; ++dim) dims.push_back(dim);
  for (std::size_t dim : {255, 256, 257, 384, 959, 960, 1100}) dims.push_back(dim);
  return dims;
}

std::vector<const distance::KernelTable*> available_tables() {
  std::vector<const distance::KernelTable*> tables;
  for (const char* isa : kAllIsas)
    if (const auto* table = distance::find_kernels(isa)) tables.push_back(table);
  return tables;
}

template <typename F>
void for_each_pair(F&& body) {
  for (Metric metric : kAllMetrics)
    for (DType dtype : kAllDTypes)
      if (goes_together(metric, dtype)) body(metric, dtype);
}

std::string where(const char* isa, Metric metric, DType dtype, std::size_t dim) {
  return std::string(isa) + " metric " + std::to_string(static_cast<int>(metric)) + " dtype " +
         std::to_string(static_cast<int>(dtype)) + " dim " + std::to_string(dim);
}

bool same_bits(float a, float b) { return std::memcmp(&a, &b, sizeof a) == 0; }

void require(bool condition, const std::string& what) {
  if (!condition) fail(__FILE__, __LINE__, what);
}

// One pair of vectors at every alignment, the last of their bytes right before a guard page or up to 63 bytes earlier.
void check_alignments(Guarded& query_memory, Guarded& row_memory, Metric metric, DType dtype, std::size_t dim) {
  Generator random(dim * 64 + static_cast<std::size_t>(dtype) * 8 + static_cast<std::size_t>(metric));
  const Vector query = random.make(metric, dtype, dim, true);
  const Vector row = random.make(metric, dtype, dim, false);
  const Reference expected = reference(metric, query, row);
  for (const distance::KernelTable* table : available_tables()) {
    const distance::Kernel kernel = kernel_of(*table, metric, dtype);
    const std::string place = where(table->isa, metric, dtype, dim);
    const float first = kernel.one(query_memory.place(query.bytes, 0), row_memory.place(row.bytes, 0), dim);
    require(std::fabs(first - expected.distance) <= expected.bound,
            place + ": " + std::to_string(first) + " is not " + std::to_string(expected.distance));
    const std::uint32_t slot = 0;
    for (std::size_t gap = 0; gap <= kMaxGap; ++gap) {
      const void* const q = query_memory.place(query.bytes, kMaxGap - gap);
      const void* const x = row_memory.place(row.bytes, gap);
      float many;
      kernel.many(q, x, row.bytes.size(), &slot, 1, dim, &many);
      require(same_bits(kernel.one(q, x, dim), first), place + ": `one` depends on alignment");
      require(same_bits(many, first), place + ": `many` differs from `one`");
    }
  }
}

TEST(kernels_agree_with_double_precision_at_every_alignment_and_read_no_further) {
  Guarded query_memory(8192), row_memory(8192);
  for_each_pair([&](Metric metric, DType dtype) {
    for (std::size_t dim : all_dims()) check_alignments(query_memory, row_memory, metric, dtype, dim);
  });
}

// A matrix that ends at a guard page, its rows visited out of order, in every number up to 40.
void check_many(Guarded& memory, Metric metric, DType dtype, std::size_t dim, std::size_t padding) {
  constexpr std::size_t kRows = 50;
  Generator random(dim + 1000 * padding);
  const Vector query = random.make(metric, dtype, dim, true);
  Bytes matrix;
  std::size_t stride = 0;
  for (std::size_t r = 0; r < kRows; ++r) {
    const Vector row = random.make(metric, dtype, dim, false);
    stride = row.bytes.size() + padding;
    matrix.insert(matrix.end(), row.bytes.begin(), row.bytes.end());
    if (r + 1 < kRows) matrix.insert(matrix.end(), padding, 0xFF);
  }
  const unsigned char* const base = memory.place(matrix, 0);
  for (const distance::KernelTable* table : available_tables()) {
    const distance::Kernel kernel = kernel_of(*table, metric, dtype);
    for (std::size_t count = 0; count <= 40; ++count) {
      std::uint32_t slots[40];
      for (std::size_t i = 0; i < count; ++i) slots[i] = static_cast<std::uint32_t>((kRows - 1 + i * 37) % kRows);
      float out[41];
      out[count] = 12345.0f;
      kernel.many(query.bytes.data(), base, stride, slots, count, dim, out);
      require(out[count] == 12345.0f, where(table->isa, metric, dtype, dim) + ": `many` wrote too much");
      for (std::size_t i = 0; i < count; ++i)
        require(same_bits(out[i], kernel.one(query.bytes.data(), base + slots[i] * stride, dim)),
                where(table->isa, metric, dtype, dim) + ": row " + std::to_string(i) + " of " + std::to_string(count));
    }
  }
}

TEST(kernels_give_many_rows_the_distances_of_one) {
  Guarded memory(512 * 1024);
  for_each_pair([&](Metric metric, DType dtype) {
    for (std::size_t dim : {0, 1, 3, 7, 16, 33, 50, 100, 128, 200, 384, 960, 1100})
      for (std::size_t padding : {0, 5}) check_many(memory, metric, dtype, dim, padding);
  });
}

// Elements all at one end of their range, up to the largest dimension, where a sum would overflow first.
TEST(kernels_add_up_integers_without_overflow) {
  for (const distance::KernelTable* table : available_tables()) {
    for (std::size_t dim : {std::size_t{4096}, kMaxDim - 1, kMaxDim}) {
      const double n = static_cast<double>(dim);
      const auto check = [&](Metric metric, DType dtype, unsigned char q, unsigned char x, double expected) {
        const Bytes query(dim, q), row(dim, x);
        const float got = kernel_of(*table, metric, dtype).one(query.data(), row.data(), dim);
        require(got == static_cast<float>(expected),
                where(table->isa, metric, dtype, dim) + ": " + std::to_string(got));
      };
      check(Metric::kL2, DType::kUInt8, 0, 255, 255.0 * 255.0 * n);
      check(Metric::kIp, DType::kUInt8, 255, 255, 1.0f - static_cast<float>(255.0 * 255.0 * n));
      check(Metric::kL2, DType::kInt8, 0x80, 0x7F, 255.0 * 255.0 * n);
      check(Metric::kIp, DType::kInt8, 0x80, 0x80, 1.0f - static_cast<float>(128.0 * 128.0 * n));
      check(Metric::kIp, DType::kInt8, 0x80, 0x7F, 1.0f + static_cast<float>(128.0 * 127.0 * n));
    }
    const Bytes zeros(kMaxDim / 8, 0), ones(kMaxDim / 8, 0xFF);
    CHECK_EQUAL(kernel_of(*table, Metric::kHamming, DType::kBinary).one(zeros.data(), ones.data(), kMaxDim),
                static_cast<float>(kMaxDim));
  }
}

TEST(kernels_of_integers_and_bits_agree_between_instruction_sets) {
  for_each_pair([](Metric metric, DType dtype) {
    if (!is_exact(dtype)) return;
    for (std::size_t dim : all_dims()) {
      Generator random(dim);
      const Vector query = random.make(metric, dtype, dim, true);
      const Vector row = random.make(metric, dtype, dim, false);
      const float expected =
          kernel_of(*distance::find_kernels("scalar"), metric, dtype).one(query.bytes.data(), row.bytes.data(), dim);
      for (const distance::KernelTable* table : available_tables())
        require(same_bits(kernel_of(*table, metric, dtype).one(query.bytes.data(), row.bytes.data(), dim), expected),
                where(table->isa, metric, dtype, dim) + " differs from scalar");
    }
  });
}

TEST(kernels_exist_exactly_for_the_pairs_that_go_together) {
  for (const distance::KernelTable* table : available_tables()) {
    for (Metric metric : kAllMetrics) {
      for (DType dtype : kAllDTypes) {
        const distance::Kernel kernel = kernel_of(*table, metric, dtype);
        CHECK_EQUAL(kernel.one != nullptr, goes_together(metric, dtype));
        CHECK_EQUAL(kernel.many != nullptr, goes_together(metric, dtype));
      }
    }
  }
}

}  // namespace
}  // namespace hopspan::test
