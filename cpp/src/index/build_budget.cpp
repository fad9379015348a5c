#include "index/build_budget.h"

#include <algorithm>
#include <limits>
#include <string>

#include "hopspan/error.h"
#include "spann/external/groups.h"

namespace hopspan::index {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kFixedBytes = 4 * kMiB;  // buffers of files and batches
constexpr std::size_t kThreadBytes = kMiB;     // of each thread
constexpr std::size_t kFirstBytes = 8;         // of each vector: the list of its first copy, and that entry
constexpr std::size_t kReplicaBytes = 8;       // of each entry that lists have room for
constexpr std::size_t kListBytes = 64;         // of each list besides
constexpr std::size_t kGroupBytes = 8;         // of each entry: where it is, and which list it is in
constexpr std::size_t kSlotBytes = 8;          // of each vector then: its first entry and its new slot
constexpr std::size_t kMostHeadCopies = 3;     // of all heads, as floats and packed for products
constexpr std::size_t kMostSamples = 64;       // a head
constexpr std::size_t kLeastSamples = 3;
constexpr std::size_t kCutSamples = 4096;  // that each thread copies to learn a cut from
constexpr std::size_t kLeastGroupBytes = 2 * kMiB;

std::size_t fixed_bytes(const BuildSize& size) { return kFixedBytes + size.threads * kThreadBytes; }

std::size_t head_bytes(const BuildSize& size) { return size.heads * (size.dim * sizeof(float) + kListBytes); }

std::size_t sample_bytes(const BuildSize& size) { return size.dim * sizeof(float) + 64; }

// Of learning heads, besides samples: cuts first, then the packed heads.
std::size_t learn_bytes(const BuildSize& size) {
  const std::size_t cuts = size.threads * kCutSamples * size.dim * sizeof(float);
  return fixed_bytes(size) + std::max(head_bytes(size) + cuts, kMostHeadCopies * head_bytes(size));
}

std::size_t samples(const BuildSize& size, std::size_t per_head) {
  return std::min(size.vectors, size.heads * per_head);
}

std::size_t entries(const BuildSize& size) { return size.heads * size.capacity; }

std::size_t assign_bytes(const BuildSize& size) {
  return fixed_bytes(size) + kMostHeadCopies * head_bytes(size) + size.vectors * kFirstBytes +
         entries(size) * kReplicaBytes;
}

std::size_t group_base(const BuildSize& size) {
  const std::size_t groups =
      std::min(spann::external::Groups::kMostGroups, entries(size) * size.row_bytes / kLeastGroupBytes + 1);
  return fixed_bytes(size) + head_bytes(size) + size.vectors * kSlotBytes + entries(size) * kGroupBytes +
         groups * (spann::external::Groups::kWriteBytes + size.row_bytes);
}

std::size_t least_taken(const BuildSize& size) {
  const std::size_t heads = learn_bytes(size) + samples(size, kLeastSamples) * sample_bytes(size);
  const std::size_t largest_list = size.capacity * size.row_bytes;
  const std::size_t smallest_group = entries(size) * size.row_bytes / spann::external::Groups::kMostGroups;
  const std::size_t group = group_base(size) + 2 * std::max({kLeastGroupBytes, largest_list, smallest_group});
  return std::max({heads, assign_bytes(size), group});
}

}  // namespace

std::size_t least_memory(const BuildSize& size) {
  return std::max(fixed_bytes(size) + kBeyondBudget, least_taken(size)) - kBeyondBudget;
}

std::size_t affordable_heads(BuildSize size, std::size_t least, std::size_t memory) {
  while (size.heads > least && least_memory(size) > memory)
    size.heads = std::max(least, size.heads - size.heads / 32 - 1);
  return size.heads;
}

BuildBudget share_memory(const BuildSize& size, std::size_t memory) {
  const std::size_t least = least_memory(size);
  if (memory < least) {
    throw InvalidArgument("memory is " + std::to_string(memory) + " bytes; a build of " + std::to_string(size.vectors) +
                          " x " + std::to_string(size.dim) + " takes at least " + std::to_string(least) + " (" +
                          std::to_string((least + kMiB - 1) / kMiB) + " MiB)");
  }
  memory = std::min(memory, std::numeric_limits<std::size_t>::max() - kBeyondBudget) + kBeyondBudget;
  const std::size_t per_head = (memory - learn_bytes(size)) / (size.heads * sample_bytes(size));
  return {std::clamp(per_head, kLeastSamples, kMostSamples), (memory - group_base(size)) / 2};
}

}  // namespace hopspan::index
