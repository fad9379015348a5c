#include "spann/build.h"

#include <algorithm>
#include <utility>

#include "core/checked.h"
#include "core/threads.h"
#include "spann/assign/copies.h"
#include "spann/clustering/heads.h"
#include "spann/lists/format.h"
#include "spann/lists/product_coder.h"

namespace hopspan::spann {
namespace {

constexpr std::size_t kTrainResiduals = 20000;

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

ListArray encode_list(const Floats& vectors, const Coder& coder, const float* head,
                      const std::vector<std::uint32_t>& entries) {
  std::vector<std::uint32_t> slots(entries.size());
  std::transform(entries.begin(), entries.end(), slots.begin(), slot_of);
  std::vector<float> members(core::checked_mul(slots.size(), vectors.dim()));
  vectors.gather(slots.data(), slots.size(), members.data());
  ListArray list;
  list.resize(list_bytes(coder.shape(), entries.size()));
  write_list(coder, head, members.data(), entries.data(), entries.size(), list.mutable_data());
  return list;
}

std::vector<float> plan_heads(const Floats& vectors, const BuildOptions& options, const Progress& progress) {
  HeadOptions how;
  how.heads = options.heads;
  how.samples_per_head = options.samples_per_head;
  how.from_data = options.data_heads;
  how.seed = options.seed;
  how.threads = options.threads;
  return make_heads(vectors, how, progress);
}

void plan_lists(const Floats& vectors, const BuildOptions& options, const Progress& progress, Plan& plan) {
  plan.copies = assign_copies(vectors, plan.heads, options.replicas, options.capacity, options.threads, progress);
  split_long_lists(vectors, options.capacity, plan.heads, plan.copies);
}

Lists build(const Floats& vectors, const BuildOptions& options, const Progress& progress) {
  const std::size_t dim = vectors.dim();
  Plan plan;
  plan.heads = plan_heads(vectors, options, progress);
  plan_lists(vectors, options, progress, plan);
  Lists lists;
  const std::vector<float> residuals = sample_residuals(vectors, plan.heads, plan.copies);
  lists.codebook = Codebook::train(residuals.data(), residuals.size() / dim, dim, options.threads, progress);
  lists.heads = std::move(plan.heads);
  lists.lists.resize(plan.copies.size());
  const ProductCoder coder(lists.codebook, options.metric);
  core::parallel_for(plan.copies.size(), 4, options.threads, progress,
                     [&](std::size_t begin, std::size_t end, std::size_t) {
                       for (std::size_t l = begin; l < end; ++l) {
                         lists.lists[l] = encode_list(vectors, coder, &lists.heads[l * dim], plan.copies[l]);
                       }
                     });
  return lists;
}

}  // namespace hopspan::spann
