#include "quantize/quantizer.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/buffer.h"
#include "core/checked.h"
#include "core/threads.h"
#include "hopspan/error.h"
#include "quantize/grid.h"
#include "quantize/nibbles.h"
#include "quantize/sample.h"
#include "vectors/query.h"

namespace hopspan::quantize {
namespace {

constexpr std::size_t kGridValues = std::size_t{1} << 20;
constexpr std::size_t kEncodeGrain = 256;

// The codes of 8 bits use all of a byte under l2; those of ip are signed and symmetric.
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

// Makes whole numbers, -127..127, of a query's values: the finest grid that holds all of them.
void scale_query(std::vector<float>& values) {
  constexpr int kMost = kSignedTop / 2;
  float largest = 0.0f;
  for (const float value : values) largest = std::max(largest, std::fabs(value));
  const float step = std::max(largest / kMost, kSmallestStep);
  for (float& value : values) value = static_cast<float>(code_of(value, 1.0f / step, kSignedTop) - kMost);
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

}  // namespace

bool Quantizer::serves(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat16 || dtype == DType::kBFloat16;
}

Quantizer::Quantizer(const vectors::Matrix& rows, int bits, std::uint64_t seed)
    : Quantizer(rows.format(), draw_sample(rows, seed), bits) {}

Quantizer::Quantizer(const vectors::RowFormat& format, const Sample& sample, int bits)
    : format_(format), bits_(bits), centre_(format.dim, 0.0f) {
  if (format_.metric == Metric::kIp) {
    step_ = best_step(grid_values(sample), top());
  } else if (!learn_whole_numbers(sample)) {
    for (std::size_t j = 0; j < format_.dim; ++j) centre_[j] = robust_middle(column(sample, j));
    step_ = best_step(grid_values(sample), top());
  }
  fidelity_ = measure_fidelity(*this, sample);
}

Quantizer::Quantizer(const vectors::RowFormat& format, const Sample& sample, int bits, std::vector<float> centre,
                     Projection projection)
    : format_(format), bits_(bits), centre_(std::move(centre)), projection_(std::move(projection)) {
  step_ = best_step(grid_values(sample), top());
  fidelity_ = measure_fidelity(*this, sample);
}

// What is laid on the grid of some of the sample.
std::vector<float> Quantizer::grid_values(const Sample& sample) const {
  const std::size_t rows = std::min(sample.size, std::max(kGridValues / sample.dim, std::size_t{1}));
  std::vector<float> values;
  for (std::size_t i = 0; i < rows; ++i) {
    const float* const row = sample.row(i * sample.size / rows);
    std::vector<float> placed(row, row + sample.dim);
    place(placed);
    values.insert(values.end(), placed.begin(), placed.end());
  }
  return values;
}

// Less the centre, and projected.
void Quantizer::place(std::vector<float>& values) const {
  for (std::size_t j = 0; j < centre_.size(); ++j) values[j] -= centre_[j];
  if (!projection_) return;
  std::vector<float> projected(projection_->output_dim());
  projection_->apply(values.data(), projected.data());
  values.swap(projected);
}

// The largest code.
int Quantizer::top() const noexcept {
  if (bits_ == 4) return kNibbleTop;
  return format_.metric == Metric::kIp ? kSignedTop : kUnsignedTop;
}

// Whole numbers in a range that codes hold become codes without any error.
bool Quantizer::learn_whole_numbers(const Sample& sample) {
  if (!whole_numbers(sample)) return false;
  std::vector<float> centre(format_.dim);
  for (std::size_t j = 0; j < format_.dim; ++j) {
    const std::vector<float> values = column(sample, j);
    const auto ends = std::minmax_element(values.begin(), values.end());
    const double low = *ends.first, high = *ends.second;
    if (high - low > top() || std::fabs(low + high) > 1 << 20) return false;
    centre[j] = static_cast<float>(std::floor((low + high) / 2) + 0.5);
  }
  centre_ = std::move(centre);
  step_ = 1.0f;
  return true;
}

Quantizer::Quantizer(const vectors::RowFormat& format, storage::ByteReader& reader) : format_(format), bits_(8) {
  if (reader.count(sizeof(float)) != format.dim) throw CorruptIndexError("a quantizer of other dimensions");
  centre_.resize(format.dim);
  reader.bytes(centre_.data(), centre_.size() * sizeof(float));
  step_ = reader.f32();
  const bool finite = std::all_of(centre_.begin(), centre_.end(), [](float x) { return std::isfinite(x); });
  if (!finite || !(step_ >= kSmallestStep && step_ <= kLargestStep)) {
    throw CorruptIndexError("a quantizer with a centre or a step that is no number");
  }
  if (reader.remaining() != 0) {
    bits_ = reader.u8();
    fidelity_.deviation = reader.f32();
    if (reader.u8() != 0) {
      if (format.metric == Metric::kIp) throw CorruptIndexError("a quantizer that projects under ip");
      projection_.emplace(format.dim, reader);
    }
  }
  if (!(fidelity_.deviation >= 0.0f)) throw CorruptIndexError("a quantizer with a deviation that is no number");
  if (bits_ != 8 && bits_ != 4) throw CorruptIndexError("a quantizer of " + std::to_string(bits_) + " bits");
}

void Quantizer::write(storage::ByteWriter& writer) const {
  writer.count(centre_.size());
  writer.bytes(centre_.data(), centre_.size() * sizeof(float));
  writer.f32(step_);
  writer.u8(static_cast<std::uint8_t>(bits_));
  writer.f32(fidelity_.deviation);
  writer.u8(projection_ ? 1 : 0);
  if (projection_) projection_->write(writer);
}

CodeFormat Quantizer::code_format() const {
  return {projection_ ? projection_->output_dim() : format_.dim,
          format_.metric == Metric::kIp ? Metric::kIp : Metric::kL2, bits_};
}

void Quantizer::encode_values(std::vector<float>& values, std::byte* out) const {
  place(values);
  const float inverse = 1.0f / step_;
  if (bits_ == 4) {
    for (float& value : values) value = static_cast<float>(code_of(value, inverse, kNibbleTop));
    return pack_nibbles(values, out);
  }
  const int zero = format_.metric == Metric::kIp ? kSignedTop / 2 : 0;
  for (std::size_t j = 0; j < values.size(); ++j)
    out[j] = static_cast<std::byte>(code_of(values[j], inverse, static_cast<float>(top())) - zero);
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
        values.resize(format_.dim);
        read_row(rows, first + i, room.data(), values.data());
        encode_values(values, codes.mutable_row(old_size + i));
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
  prepare_values(values, static_cast<std::byte*>(out));
}

void Quantizer::prepare_values(std::vector<float>& values, std::byte* out) const {
  std::memset(out, 0, code_format().query_bytes());
  if (format_.metric == Metric::kIp) {
    scale_query(values);
    if (bits_ == 4) return nibble_query(Metric::kIp, values, code_format().stride(), out);
    for (std::size_t j = 0; j < values.size(); ++j) out[j] = static_cast<std::byte>(static_cast<int>(values[j]));
    return;
  }
  if (bits_ == 8) return encode_values(values, out);
  place(values);
  for (float& value : values) value = value / step_ + kNibbleTop * 0.5f;
  nibble_query(Metric::kL2, values, code_format().stride(), out);
}

float Quantizer::squared_distance(float code_distance) const {
  return (bits_ == 4 ? code_distance * 0.5f : code_distance) * step_ * step_;
}

float Quantizer::least_distance(float code_distance) const {
  if (format_.metric == Metric::kIp) return -std::numeric_limits<float>::infinity();
  const float least = fidelity_.least(squared_distance(code_distance));
  return format_.metric == Metric::kCosine ? least * 0.5f : least;
}

}  // namespace hopspan::quantize
