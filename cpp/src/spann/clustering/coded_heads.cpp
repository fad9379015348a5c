#include "spann/clustering/coded_heads.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "core/checked.h"
#include "spann/lists/coder.h"
#include "vectors/query.h"

namespace hopspan::spann {
namespace {

constexpr float kTop = 127.0F;
constexpr std::size_t kAtOnce = 1024;  // heads whose distances are kept
constexpr std::size_t kSpare = 32;     // heads beyond those wanted, and a quarter of these, that are compared again

bool nearer(const Nearest& a, const Nearest& b) {
  return a.distance < b.distance || (a.distance == b.distance && a.center < b.center);
}

float product_of(const float* a, const float* b, std::size_t dim) {
  float lanes[8] = {};
  std::size_t d = 0;
  for (; d + 8 <= dim; d += 8) {
    for (std::size_t i = 0; i < 8; ++i) lanes[i] += a[d + i] * b[d + i];
  }
  for (; d < dim; ++d) lanes[0] += a[d] * b[d];
  for (std::size_t i = 1; i < 8; ++i) lanes[0] += lanes[i];
  return lanes[0];
}

// Of `values`, whose largest is 127 of them.
float step_of(const float* values, std::size_t count) {
  float widest = 0.0F;
  for (std::size_t i = 0; i < count; ++i) widest = std::max(widest, std::fabs(finite(values[i])));
  return widest / kTop;
}

void round_to(const float* values, std::size_t count, float step, std::int8_t* codes) {
  for (std::size_t i = 0; i < count; ++i) {
    const float steps = step > 0.0F ? std::clamp(finite(values[i]) / step, -kTop, kTop) : 0.0F;
    codes[i] = static_cast<std::int8_t>(std::lrint(steps));
  }
}

// The nearest so far, at most twice as many as are kept.
void keep_nearest(std::size_t kept, std::vector<Nearest>& near) {
  if (near.size() <= kept) return;
  const auto end = near.begin() + static_cast<std::ptrdiff_t>(kept);
  std::nth_element(near.begin(), end - 1, near.end(), nearer);
  near.erase(end, near.end());
}

}  // namespace

HeadCodes encode_heads(const float* heads, std::size_t count, std::size_t dim) {
  HeadCodes codes;
  codes.middle.resize(dim);
  codes.steps.resize(count);
  codes.codes.resize(core::checked_mul(count, dim));
  float* const middle = codes.middle.mutable_data();
  for (std::size_t d = 0; d < dim; ++d) {
    double sum = 0.0;
    for (std::size_t h = 0; h < count; ++h) sum += static_cast<double>(heads[h * dim + d]);
    middle[d] = static_cast<float>(sum / static_cast<double>(count));
  }
  float* const steps = codes.steps.mutable_data();
  std::int8_t* const all = codes.codes.mutable_data();
  std::vector<float> apart(dim);
  for (std::size_t h = 0; h < count; ++h) {
    for (std::size_t d = 0; d < dim; ++d) apart[d] = heads[h * dim + d] - middle[d];
    steps[h] = step_of(apart.data(), dim);
    round_to(apart.data(), dim, steps[h], all + h * dim);
  }
  return codes;
}

// A query in codes: what they stand for, and what is added to each product.
struct CodedHeads::Rounded {
  float step;
  float product;  // with the mean, under cosine
};

CodedHeads::CodedHeads(HeadCodes codes, Metric metric)
    : codes_(std::move(codes)), metric_(metric), compare_(vectors::kernel_of(Metric::kIp, DType::kInt8).many) {
  std::vector<float> head(dim());
  for (std::size_t h = 0; h < count() && metric != Metric::kIp; ++h) {
    decode(h, head.data());
    if (metric == Metric::kCosine) {
      lengths_.push_back(std::sqrt(product_of(head.data(), head.data(), dim())));
    } else {
      for (std::size_t d = 0; d < dim(); ++d) head[d] -= codes_.middle[d];
      squares_.push_back(product_of(head.data(), head.data(), dim()));
    }
  }
}

std::size_t CodedHeads::bytes() const noexcept {
  return codes_.middle.capacity_bytes() + codes_.steps.capacity_bytes() + codes_.codes.capacity_bytes() +
         lengths_.bytes() + squares_.capacity() * sizeof(float);
}

void CodedHeads::decode(std::size_t head, float* out) const {
  const std::int8_t* const codes = codes_.codes.data() + head * dim();
  const float step = codes_.steps[head];
  for (std::size_t d = 0; d < dim(); ++d) out[d] = finite(codes_.middle[d] + step * static_cast<float>(codes[d]));
}

void CodedHeads::probe(const float* query, std::size_t most, Work& work, Nearest* out) const {
  const Rounded rounded = round(query, work);
  const std::size_t kept = std::min(count(), most + most / 4 + kSpare);
  work.near.clear();
  float limit = std::numeric_limits<float>::infinity();
  for (std::size_t first = 0; first < count(); first += kAtOnce) {
    const std::size_t some = std::min(kAtOnce, count() - first);
    compare(rounded, first, some, work);
    for (std::size_t i = 0; i < some; ++i) {
      if (work.products[i] < limit) work.near.push_back({work.products[i], static_cast<std::uint32_t>(first + i)});
    }
    if (work.near.size() < 2 * kept) continue;
    keep_nearest(kept, work.near);
    limit = work.near[kept - 1].distance;
  }
  keep_nearest(kept, work.near);
  work.head.resize(dim() * sizeof(float));
  for (Nearest& near : work.near) {
    near.distance = distance(query, near.center, reinterpret_cast<float*>(work.head.data()));
  }
  std::partial_sort(work.near.begin(), work.near.begin() + static_cast<std::ptrdiff_t>(most), work.near.end(), nearer);
  std::copy_n(work.near.begin(), most, out);
}

// Under l2 the query is taken from the mean, too, which makes it short.
CodedHeads::Rounded CodedHeads::round(const float* query, Work& work) const {
  work.head.resize(dim() * sizeof(float));
  float* const apart = reinterpret_cast<float*>(work.head.data());
  for (std::size_t d = 0; d < dim(); ++d) {
    apart[d] = metric_ == Metric::kL2 ? query[d] - codes_.middle[d] : query[d];
  }
  const float step = step_of(apart, dim());
  work.query.resize(dim());
  round_to(apart, dim(), step, work.query.data());
  return {step, metric_ == Metric::kCosine ? product_of(query, codes_.middle.data(), dim()) : 0.0F};
}

void CodedHeads::compare(const Rounded& query, std::size_t first, std::size_t count, Work& work) const {
  if (work.numbers.empty()) {
    work.numbers.resize(kAtOnce);
    std::iota(work.numbers.begin(), work.numbers.end(), 0U);
    work.products.resize(kAtOnce);
  }
  compare_(work.query.data(), codes_.codes.data() + first * dim(), dim(), work.numbers.data(), count, dim(),
           work.products.data());
  for (std::size_t i = 0; i < count; ++i) {
    const float product = query.product + (1.0F - work.products[i]) * query.step * codes_.steps[first + i];
    float distance = -product;
    if (metric_ == Metric::kL2) distance = squares_[first + i] - 2.0F * product;
    if (metric_ == Metric::kCosine && lengths_[first + i] > 0.0F) distance /= lengths_[first + i];
    work.products[i] = finite(distance);
  }
}

float CodedHeads::distance(const float* query, std::size_t head, float* decoded) const {
  decode(head, decoded);
  const float product = product_of(query, decoded, dim());
  if (metric_ == Metric::kL2) return finite(product_of(decoded, decoded, dim()) - 2.0F * product);
  if (metric_ == Metric::kCosine && lengths_[head] > 0.0F) return finite(-product / lengths_[head]);
  return finite(-product);
}

}  // namespace hopspan::spann
