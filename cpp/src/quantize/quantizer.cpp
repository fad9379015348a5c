#include "quantize/quantizer.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/buffer.h"
#include "core/checked.h"
#include "core/threads.h"
#include "hopspan/error.h"
#include "quantize/grid.h"
#include "quantize/sample.h"
#include "vectors/query.h"

namespace hopspan::quantize {
namespace {

constexpr std::size_t kSampleRows = 20000;
constexpr std::size_t kSampleValues = std::size_t{1} << 24;
constexpr std::size_t kFewestRows = 256;
constexpr std::size_t kGridValues = std::size_t{1} << 20;
constexpr std::size_t kEncodeGrain = 256;

// The codes of l2 use all of a byte; those of ip are signed and symmetric.
constexpr int kUnsignedTop = 255;
constexpr int kSignedTop = 254;

bool whole_numbers(const Sample& sample) {
  return std::all_of(sample.values.begin(), sample.values.end(), [](float x) { return std::floor(x) == x; });
}

// The values of one dimension.
std::vector<float> column(const Sample& sample, std::size_t j) {
  std::vector<float> values(sample.size);
  for (std::size_t i = 0; i < sample.size; ++i) values[i] = sample.row(i)[j];
  return values;
}

float middle(double low, double high) { return static_cast<float>(0.5 * (low + high)); }

// The middle of what all but one value in a thousand on either side take.
float robust_middle(std::vector<float> values) {
  const std::size_t rank = values.size() / 1000;
  const auto low = values.begin() + static_cast<std::ptrdiff_t>(rank);
  const auto high = values.end() - 1 - static_cast<std::ptrdiff_t>(rank);
  std::nth_element(values.begin(), low, values.end());
  const float least = *low;
  std::nth_element(values.begin(), high, values.end());
  return middle(least, *high);
}

// Some of the sample's values less their centre.
std::vector<float> grid_values(const Sample& sample, const std::vector<float>& centre) {
  const std::size_t rows = std::min(sample.size, std::max(kGridValues / sample.dim, std::size_t{1}));
  std::vector<float> values;
  values.reserve(rows * sample.dim);
  for (std::size_t i = 0; i < rows; ++i) {
    const float* row = sample.row(i * sample.size / rows);
    for (std::size_t j = 0; j < sample.dim; ++j) values.push_back(row[j] - centre[j]);
  }
  return values;
}

}  // namespace

bool Quantizer::serves(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat16 || dtype == DType::kBFloat16;
}

Quantizer::Quantizer(const vectors::Matrix& rows, std::uint64_t seed)
    : format_(rows.format()), centre_(rows.format().dim, 0.0f) {
  const std::size_t most = std::min(kSampleRows, std::max(kSampleValues / format_.dim, kFewestRows));
  const Sample sample = draw_sample(rows, most, seed);
  if (format_.metric == Metric::kIp) {
    step_ = best_step(grid_values(sample, centre_), kSignedTop);
  } else if (!learn_whole_numbers(sample)) {
    for (std::size_t j = 0; j < format_.dim; ++j) centre_[j] = robust_middle(column(sample, j));
    step_ = best_step(grid_values(sample, centre_), kUnsignedTop);
  }
}

// Whole numbers in a range that a byte holds become codes without any error.
bool Quantizer::learn_whole_numbers(const Sample& sample) {
  if (!whole_numbers(sample)) return false;
  std::vector<float> centre(format_.dim);
  for (std::size_t j = 0; j < format_.dim; ++j) {
    const std::vector<float> values = column(sample, j);
    const auto ends = std::minmax_element(values.begin(), values.end());
    const double low = *ends.first, high = *ends.second;
    if (high - low > kUnsignedTop || std::fabs(low + high) > 1 << 20) return false;
    centre[j] = static_cast<float>(std::floor((low + high) / 2) + 0.5);
  }
  centre_ = std::move(centre);
  step_ = 1.0f;
  return true;
}

Quantizer::Quantizer(const vectors::RowFormat& format, storage::ByteReader& reader) : format_(format) {
  if (reader.count(sizeof(float)) != format.dim) throw CorruptIndexError("a quantizer of other dimensions");
  centre_.resize(format.dim);
  reader.bytes(centre_.data(), centre_.size() * sizeof(float));
  step_ = reader.f32();
  const bool finite = std::all_of(centre_.begin(), centre_.end(), [](float x) { return std::isfinite(x); });
  if (!finite || !(step_ >= kSmallestStep && step_ <= kLargestStep)) {
    throw CorruptIndexError("a quantizer with a centre or a step that is no number");
  }
}

void Quantizer::write(storage::ByteWriter& writer) const {
  writer.count(centre_.size());
  writer.bytes(centre_.data(), centre_.size() * sizeof(float));
  writer.f32(step_);
}

CodeFormat Quantizer::code_format() const {
  return {format_.dim, format_.metric == Metric::kIp ? Metric::kIp : Metric::kL2};
}

void Quantizer::encode_values(const float* values, std::byte* out) const {
  const bool is_signed = format_.metric == Metric::kIp;
  const int zero = is_signed ? kSignedTop / 2 : 0;
  const auto top = static_cast<float>(is_signed ? kSignedTop : kUnsignedTop);
  const float inverse = 1.0f / step_;
  for (std::size_t j = 0; j < format_.dim; ++j)
    out[j] = static_cast<std::byte>(code_of(values[j] - centre_[j], inverse, top) - zero);
}

void Quantizer::encode(const vectors::Matrix& rows, std::size_t first, std::size_t count, std::size_t threads,
                       const Progress& progress, Codes& codes) const {
  const std::size_t old_size = codes.size();
  codes.resize(core::checked_add(old_size, count));
  try {
    core::parallel_for(count, kEncodeGrain, threads, progress, [&](std::size_t begin, std::size_t end, std::size_t) {
      core::Buffer room(vectors::prepared_bytes(format_));
      std::vector<float> values(format_.dim);
      for (std::size_t i = begin; i < end; ++i) {
        read_row(rows, first + i, room.data(), values.data());
        encode_values(values.data(), codes.mutable_row(old_size + i));
      }
    });
  } catch (...) {
    codes.resize(old_size);
    throw;
  }
}

void Quantizer::prepare(const void* prepared, void* out) const {
  std::vector<float> values(format_.dim);
  read_prepared(format_, prepared, values.data());
  auto* bytes = static_cast<std::byte*>(out);
  std::memset(bytes, 0, code_format().query_bytes());
  if (format_.metric == Metric::kIp) return scale_query(values.data(), bytes);
  encode_values(values.data(), bytes);
}

// The finest grid that holds the whole query.
void Quantizer::scale_query(const float* values, std::byte* out) const {
  float largest = 0.0f;
  for (std::size_t j = 0; j < format_.dim; ++j) largest = std::max(largest, std::fabs(values[j]));
  const float step = std::max(largest / (kSignedTop / 2), kSmallestStep);
  for (std::size_t j = 0; j < format_.dim; ++j)
    out[j] = static_cast<std::byte>(code_of(values[j], 1.0f / step, kSignedTop) - kSignedTop / 2);
}

}  // namespace hopspan::quantize
