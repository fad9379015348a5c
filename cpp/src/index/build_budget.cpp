#include "index/build_budget.h"

#include <algorithm>
#include <string>

#include "hopspan/error.h"
#include "spann/external/groups.h"

namespace hopspan::index {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kFixedBytes = 4 * kMiB;  // buffers of files and batches
constexpr std::size_t kThreadBytes = kMiB;     // of each thread
constexpr std::size_t kNearBytes = 33;         // of each vector in assignment: candidates and what they cost
constexpr std::size_t kChosenBytes = 8;        // of each copy that it may have, beside kNearBytes
constexpr std::size_t kSortedBytes = 17;       // the same, when kNearBytes are free again
constexpr std::size_t kGroupBytes = 28;        // of each vector: copies, their lists and new slots
constexpr std::size_t kHeadCopies = 3;         // of all heads, as floats and packed for products
constexpr std::size_t kMostSamples = 64;       // a head
constexpr std::size_t kLeastSamples = 4;
constexpr std::size_t kCutSamples = 4096;  // that each thread copies to learn a cut from
constexpr std::size_t kLeastGroupBytes = 2 * kMiB;

std::size_t fixed_bytes(const BuildSize& size) {
  return kFixedBytes + size.threads * kThreadBytes + kHeadCopies * size.heads * size.dim * sizeof(float);
}

std::size_t sample_bytes(const BuildSize& size) { return size.dim * sizeof(float) + 64; }

std::size_t cut_bytes(const BuildSize& size) { return size.threads * kCutSamples * size.dim * sizeof(float); }

std::size_t samples(const BuildSize& size, std::size_t per_head) {
  return std::min(size.vectors, size.heads * per_head);
}

std::size_t assign_bytes(const BuildSize& size) {
  return size.vectors * (kChosenBytes * size.copies + std::max(kNearBytes, kSortedBytes * size.copies));
}

std::size_t group_base(const BuildSize& size) {
  const std::size_t groups =
      std::min(spann::external::Groups::kMostGroups, 2 * size.vectors * size.row_bytes / kLeastGroupBytes + 1);
  return size.vectors * kGroupBytes + groups * (spann::external::Groups::kWriteBytes + size.row_bytes);
}

}  // namespace

std::size_t least_memory(const BuildSize& size) {
  const std::size_t heads = cut_bytes(size) + samples(size, kLeastSamples) * sample_bytes(size);
  const std::size_t largest_list = 8 * (size.vectors / size.heads + 1) * size.row_bytes;
  const std::size_t smallest_group = 2 * size.vectors * size.row_bytes / spann::external::Groups::kMostGroups;
  const std::size_t group = group_base(size) + 2 * std::max({kLeastGroupBytes, largest_list, smallest_group});
  return fixed_bytes(size) + std::max({heads, assign_bytes(size), group});
}

BuildBudget share_memory(const BuildSize& size, std::size_t memory) {
  const std::size_t least = least_memory(size);
  if (memory < least) {
    throw InvalidArgument("memory is " + std::to_string(memory) + " bytes; a build of " + std::to_string(size.vectors) +
                          " x " + std::to_string(size.dim) + " takes at least " + std::to_string(least) + " (" +
                          std::to_string((least + kMiB - 1) / kMiB) + " MiB)");
  }
  const std::size_t free = memory - fixed_bytes(size);
  const std::size_t for_samples = free > cut_bytes(size) ? free - cut_bytes(size) : 0;
  const std::size_t per_head = for_samples / (size.heads * sample_bytes(size));
  return {std::clamp(per_head, kLeastSamples, kMostSamples), (free - group_base(size)) / 2};
}

}  // namespace hopspan::index
