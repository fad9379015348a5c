#include "spann/build.h"

#include <algorithm>
#include <utility>

#include "core/checked.h"
#include "core/threads.h"
#include "spann/assign/copies.h"
#include "spann/clustering/heads.h"
#include "spann/lists/encoder.h"

namespace hopspan::spann {
namespace {

constexpr std::size_t kTrainResiduals = 20000;
constexpr double kExpectedCopies = 1.5;  // of a vector that may have more than one

// Residuals of vectors spread over the lists.
std::vector<float> sample_residuals(const Floats& vectors, const std::vector<float>& heads, const Copies& copies) {
  const std::size_t dim = vectors.dim();
  const std::size_t total = count_copies(copies);
  const std::size_t count = std::min(total, kTrainResiduals);
  std::vector<float> residuals(core::checked_mul(count, dim));
  std::size_t list = 0, before = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = static_cast<std::size_t>(static_cast<std::uint64_t>(i) * total / count);
    while (before + copies[list].size() <= at) before += copies[list++].size();
    const std::uint32_t slot = slot_of(copies[list][at - before]);
    float* const residual = &residuals[i * dim];
    vectors.gather(&slot, 1, residual);
    for (std::size_t d = 0; d < dim; ++d) residual[d] -= heads[list * dim + d];
  }
  return residuals;
}

}  // namespace

std::size_t head_count(std::size_t count, std::size_t dim, const BuildOptions& options) {
  const distance::ScanShape shape = list_shape(dim, options.metric);
  const std::size_t entry_bytes = shape.block_bytes / distance::kScanEntries;
  const double entries = std::max(8.0, static_cast<double>(options.list_bytes) / static_cast<double>(entry_bytes));
  const double vectors = options.replicas.most > 1 ? entries / kExpectedCopies : entries;
  return std::max<std::size_t>(1, static_cast<std::size_t>(static_cast<double>(count) / vectors));
}

ListArray encode_list(const Floats& vectors, const Encoder& encoder, const float* head,
                      const std::vector<std::uint32_t>& entries) {
  std::vector<std::uint32_t> slots(entries.size());
  std::transform(entries.begin(), entries.end(), slots.begin(), slot_of);
  std::vector<float> members(core::checked_mul(slots.size(), vectors.dim()));
  vectors.gather(slots.data(), slots.size(), members.data());
  ListArray list;
  list.resize(list_bytes(encoder.shape(), entries.size()));
  encoder.append(head, members.data(), entries.data(), entries.size(), 0, list.mutable_data());
  return list;
}

std::vector<float> plan_heads(const Floats& vectors, const BuildOptions& options, const Progress& progress) {
  HeadOptions how;
  how.heads = head_count(vectors.size(), vectors.dim(), options);
  how.samples_per_head = options.samples_per_head;
  how.from_data = options.data_heads;
  how.seed = options.seed;
  how.threads = options.threads;
  return make_heads(vectors, how, progress);
}

void plan_lists(const Floats& vectors, const BuildOptions& options, const Progress& progress, Plan& plan) {
  const std::size_t dim = vectors.dim();
  plan.copies = assign_copies(vectors, plan.heads, options.replicas, options.threads, progress);
  split_long_lists(vectors, plan.heads, plan.copies);
  const std::vector<float> residuals = sample_residuals(vectors, plan.heads, plan.copies);
  plan.codebook = Codebook::train(residuals.data(), residuals.size() / dim, dim, options.threads, progress);
}

Lists build(const Floats& vectors, const BuildOptions& options, const Progress& progress) {
  const std::size_t dim = vectors.dim();
  Plan plan;
  plan.heads = plan_heads(vectors, options, progress);
  plan_lists(vectors, options, progress, plan);
  Lists lists;
  lists.heads = std::move(plan.heads);
  lists.codebook = std::move(plan.codebook);
  lists.lists.resize(plan.copies.size());
  const Encoder encoder(lists.codebook, options.metric);
  core::parallel_for(plan.copies.size(), 4, options.threads, progress,
                     [&](std::size_t begin, std::size_t end, std::size_t) {
                       for (std::size_t l = begin; l < end; ++l) {
                         lists.lists[l] = encode_list(vectors, encoder, &lists.heads[l * dim], plan.copies[l]);
                       }
                     });
  return lists;
}

}  // namespace hopspan::spann
