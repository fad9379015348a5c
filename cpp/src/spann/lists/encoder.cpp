#include "spann/lists/encoder.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hopspan::spann {
namespace {

using distance::kScanEntries;

// ScaNN's threshold: errors count as they disturb products of at least this share of the norm.
constexpr float kThreshold = 0.2F;

// How much more an error along the vector counts than one across, less 1 (theorem 3.4 of 1908.10396).
float anisotropy(std::size_t dim, Metric metric) {
  if (metric == Metric::kL2) return 0.0F;
  const float square = kThreshold * kThreshold;
  return std::max(0.0F, static_cast<float>(dim - 1) * square / (1.0F - square) - 1.0F);
}

void put_code(std::byte* block, std::size_t code, std::size_t j, std::uint8_t value) {
  std::byte& both = block[code / 2 * 32 + code % 2 * 16 + j % 16];
  both = j < 16 ? (both & std::byte{0xF0}) | std::byte{value}
                : (both & std::byte{0x0F}) | std::byte{static_cast<unsigned char>(value << 4)};
}

}  // namespace

Encoder::Encoder(const Codebook& codebook, Metric metric)
    : codebook_(codebook), shape_(list_shape(codebook.dim(), metric)), stretch_(anisotropy(codebook.dim(), metric)) {}

void Encoder::append(const float* head, const float* vectors, const std::uint32_t* entries, std::size_t count,
                     std::size_t before, std::byte* list) const {
  const std::size_t dim = codebook_.dim();
  const std::uint32_t total = static_cast<std::uint32_t>(before + count);
  std::byte* const blocks = list + kListHeaderBytes;
  if (before == 0) std::memset(list, 0, kListHeaderBytes);
  std::memcpy(list, &total, sizeof total);
  std::memset(blocks + list_blocks(before) * shape_.block_bytes, 0,
              (list_blocks(total) - list_blocks(before)) * shape_.block_bytes);
  for (std::size_t position = before; position < list_blocks(total) * kScanEntries; ++position) {
    std::memcpy(blocks + entry_offset(shape_, position), &kNoSlot, sizeof kNoSlot);
  }
  Work work{std::vector<float>(dim), std::vector<float>(dim), std::vector<std::uint8_t>(codebook_.codes())};
  for (std::size_t i = 0; i < count; ++i) {
    encode_one(head, vectors + i * dim, entries[i], before + i, work, blocks);
  }
}

void Encoder::encode_one(const float* head, const float* vector, std::uint32_t entry, std::size_t position, Work& work,
                         std::byte* blocks) const {
  const std::size_t dim = codebook_.dim();
  float square = 0.0F;
  for (std::size_t d = 0; d < dim; ++d) {
    work.residual[d] = vector[d] - head[d];
    square += vector[d] * vector[d];
  }
  const bool stretched = stretch_ > 0.0F && square > 0.0F;
  for (std::size_t d = 0; stretched && d < dim; ++d) work.room[d] = vector[d] / std::sqrt(square);
  codebook_.encode(work.residual.data(), stretched ? work.room.data() : nullptr, stretch_, work.codes.data());
  std::byte* const block = blocks + position / kScanEntries * shape_.block_bytes;
  const std::size_t j = position % kScanEntries;
  for (std::size_t code = 0; code < work.codes.size(); ++code) put_code(block, code, j, work.codes[code]);
  std::memcpy(blocks + entry_offset(shape_, position), &entry, sizeof entry);
  if (!shape_.factors) return;
  const float value = factor(head, work);
  std::memcpy(block + 32 * shape_.pairs + sizeof(float) * j, &value, sizeof value);
}

// What belongs to the vector in its squared distance from a query: to the decoded vector, and to what the codes miss.
float Encoder::factor(const float* head, Work& work) const {
  codebook_.decode(work.codes.data(), work.room.data());
  float sum = 0.0F;
  for (std::size_t d = 0; d < codebook_.dim(); ++d) {
    const float decoded = work.room[d], missed = work.residual[d] - decoded;
    sum += decoded * decoded + 2.0F * head[d] * decoded + missed * missed;
  }
  return std::isfinite(sum) ? sum : std::numeric_limits<float>::max();
}

}  // namespace hopspan::spann
