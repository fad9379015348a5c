#include "quantize/nibbles.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace hopspan::quantize {
namespace {

constexpr int kQuarters = 4;  // in a step of a row, of which a query under l2 has the codes' range
constexpr int kMostIp = 127;
constexpr float kMiddle = kNibbleTop / 2.0f;
constexpr int kIpScale = 16;  // of a row as a query: (c - 7.5) times it is an int8

int low_nibble(std::byte pair) { return static_cast<int>(pair & std::byte{15}); }
int high_nibble(std::byte pair) { return static_cast<int>(pair >> 4); }

// Writes a query of the whole numbers that even(j) and odd(j) give for byte j.
template <typename Even, typename Odd>
void write_query(Metric metric, std::size_t row_bytes, std::byte* out, Even&& even, Odd&& odd) {
  auto* const u = reinterpret_cast<std::int8_t*>(out);
  std::int64_t sum = 0, squares = 0;
  for (std::size_t j = 0; j < row_bytes; ++j) {
    const int low = even(j), high = odd(j);
    u[j] = static_cast<std::int8_t>(low);
    u[row_bytes + j] = static_cast<std::int8_t>(high);
    sum += low + high;
    squares += low * low + high * high;
  }
  const float summand = metric == Metric::kIp ? kMiddle * static_cast<float>(sum) : static_cast<float>(squares) / 8.0f;
  std::memcpy(out + 2 * row_bytes, &summand, sizeof summand);
}

}  // namespace

std::size_t nibble_query_bytes(std::size_t row_bytes) { return 2 * row_bytes + sizeof(float); }

void pack_nibbles(const std::vector<float>& codes, std::byte* row) {
  for (std::size_t j = 0; j < codes.size(); j += 2) {
    const int high = j + 1 < codes.size() ? static_cast<int>(codes[j + 1]) : 0;
    row[j / 2] = static_cast<std::byte>(static_cast<int>(codes[j]) | high << 4);
  }
}

// What lies outside the grid is more alike in near vectors than it is far from the grid's end, where rows are clipped.
void nibble_query(Metric metric, const std::vector<float>& steps, std::size_t row_bytes, std::byte* out) {
  const bool is_ip = metric == Metric::kIp;
  const float scale = is_ip ? 1.0f : kQuarters;
  const float least = is_ip ? -kMostIp : 0.0f;
  const float most = is_ip ? kMostIp : kQuarters * kNibbleTop;
  constexpr int kShift = 128;  // to where a conversion, which truncates, rounds
  const auto whole = [&](std::size_t j) {
    if (j >= steps.size()) return 0;
    return static_cast<int>(std::min(std::max(least, steps[j] * scale), most) + (kShift + 0.5f)) - kShift;
  };
  write_query(
      metric, row_bytes, out, [&](std::size_t j) { return whole(2 * j); },
      [&](std::size_t j) { return whole(2 * j + 1); });
}

void nibbles_as_query(Metric metric, const std::byte* row, std::size_t row_bytes, std::byte* out) {
  const int scale = metric == Metric::kIp ? kIpScale : kQuarters;
  const int zero = metric == Metric::kIp ? kIpScale * kNibbleTop / 2 : 0;
  write_query(
      metric, row_bytes, out, [&](std::size_t j) { return scale * low_nibble(row[j]) - zero; },
      [&](std::size_t j) { return scale * high_nibble(row[j]) - zero; });
}

}  // namespace hopspan::quantize
