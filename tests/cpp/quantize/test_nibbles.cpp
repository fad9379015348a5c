// Rows and queries of 4 bits: what their distances are, and what is clipped.
#include <cmath>
#include <vector>

#include "core/random.h"
#include "quantize/codes.h"
#include "quantize/nibbles.h"
#include "test.h"

namespace hopspan::quantize::test {
namespace {

constexpr std::size_t kDim = 37;

std::vector<float> random_codes(std::uint64_t seed) {
  std::vector<float> codes(kDim);
  for (std::size_t j = 0; j < kDim; ++j) codes[j] = static_cast<float>(core::random_u64(seed, j) % 16);
  return codes;
}

// Two rows under a metric.
struct Two {
  std::vector<float> a = random_codes(1), b = random_codes(2);
  Codes codes;

  explicit Two(Metric metric) : codes({kDim, metric, 4}) {
    codes.resize(2);
    pack_nibbles(a, codes.mutable_row(0));
    pack_nibbles(b, codes.mutable_row(1));
  }

  float distance(const void* query, std::size_t slot) const {
    return codes.kernel().one(query, codes.row(slot), codes.kernel_dim());
  }
};

TEST(nibbles_of_a_row_as_query_give_exact_distances) {
  core::Buffer room;
  const Two l2(Metric::kL2), ip(Metric::kIp);
  float squares = 0, product = 0, own = 0;
  for (std::size_t j = 0; j < kDim; ++j) {
    const float a = l2.a[j] - 7.5f, b = l2.b[j] - 7.5f;
    squares += (a - b) * (a - b);
    product += a * b;
    own += a * a;
  }
  CHECK_EQUAL(l2.distance(l2.codes.as_query(0, room), 1), 2.0f * squares);
  CHECK_EQUAL(l2.distance(l2.codes.as_query(0, room), 0), 0.0f);
  // What fills a row up is the same for all.
  const float difference = ip.distance(ip.codes.as_query(0, room), 1) - ip.distance(ip.codes.as_query(0, room), 0);
  CHECK_EQUAL(difference, 16.0f * (own - product));
}

TEST(nibbles_take_queries_in_quarter_steps_and_clip_them_to_the_grid) {
  const Two l2(Metric::kL2);
  std::vector<float> steps(kDim, 0.0f);
  std::vector<std::byte> query(l2.codes.format().query_bytes());
  const auto distance_with = [&](float first) {
    steps[0] = first;
    nibble_query(Metric::kL2, steps, l2.codes.stride(), query.data());
    return l2.distance(query.data(), 0);
  };
  float rest = 0;
  for (std::size_t j = 1; j < kDim; ++j) rest += l2.a[j] * l2.a[j];
  const auto expected = [&](float first) {
    const float difference = l2.a[0] - first;
    return 2.0f * (rest + difference * difference);
  };
  CHECK_EQUAL(distance_with(3.25f), expected(3.25f));
  CHECK_EQUAL(distance_with(99.0f), expected(15.0f));
  CHECK_EQUAL(distance_with(-99.0f), expected(0.0f));
  CHECK_EQUAL(distance_with(std::nanf("")), expected(0.0f));
}

}  // namespace
}  // namespace hopspan::quantize::test
