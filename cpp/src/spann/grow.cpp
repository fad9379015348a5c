#include "spann/grow.h"

#include <algorithm>
#include <utility>

#include "core/threads.h"
#include "spann/assign/copies.h"
#include "spann/lists/format.h"
#include "spann/lists/product_coder.h"

namespace hopspan::spann {
namespace {

constexpr std::size_t kBlock = Centers::kVectorsAtOnce;

Copies read_copies(const Lists& lists, const distance::ScanShape& shape) {
  Copies copies;
  for (const ListArray& list : lists.lists) {
    const ListView view(list.data(), list.size(), shape);
    std::vector<std::uint32_t> entries(view.entries());
    for (std::size_t i = 0; i < entries.size(); ++i) entries[i] = view.entry(i);
    copies.push_back(std::move(entries));
  }
  return copies;
}

// The lists of each new vector, most for each; kNoSlot behind the last.
std::vector<Nearest> choose_lists(const Lists& lists, const Floats& vectors, std::size_t first,
                                  const BuildOptions& options, const Progress& progress) {
  const std::size_t dim = vectors.dim();
  const Centers centers(lists.heads.data(), lists.lists.size(), dim);
  const Replicas rule(lists.heads.data(), dim, options.replicas);
  const std::size_t count = vectors.size() - first;
  const std::size_t most = options.replicas.most, looked = std::min(options.replicas.nearest, centers.count());
  std::vector<Nearest> chosen(count * most, Nearest{0.0F, kNoSlot});
  const std::size_t blocks = (count + kBlock - 1) / kBlock;
  core::parallel_for(blocks, 4, options.threads, progress, [&](std::size_t begin, std::size_t end, std::size_t) {
    Centers::Work work;
    std::vector<float> floats(kBlock * dim);
    std::vector<Nearest> nearest(kBlock * looked);
    for (std::size_t b = begin; b < end; ++b) {
      const std::size_t some = std::min(kBlock, count - b * kBlock);
      vectors.read(first + b * kBlock, some, floats.data());
      centers.nearest(floats.data(), some, looked, work, nearest.data());
      for (std::size_t i = 0; i < some; ++i)
        rule.choose(&nearest[i * looked], looked, &chosen[(b * kBlock + i) * most]);
    }
  });
  return chosen;
}

}  // namespace

Patch grow(const Lists& lists, const Floats& vectors, std::size_t first, const BuildOptions& options,
           const Progress& progress) {
  const std::size_t dim = vectors.dim();
  const std::vector<Nearest> chosen = choose_lists(lists, vectors, first, options, progress);
  const ProductCoder coder(lists.codebook, options.metric);
  Copies copies = read_copies(lists, coder.shape());
  std::vector<std::size_t> before;
  for (const auto& list : copies) before.push_back(list.size());
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    if (chosen[i].center == kNoSlot) continue;
    const std::uint32_t slot = static_cast<std::uint32_t>(first + i / options.replicas.most);
    copies[chosen[i].center].push_back(i % options.replicas.most == 0 ? slot : slot | kReplica);
  }
  Patch patch;
  patch.heads = lists.heads;
  patch.changed = split_long_lists(vectors, options.capacity, patch.heads, copies);
  patch.count = copies.size();
  for (std::uint32_t l = 0; l < before.size(); ++l) {
    if (copies[l].size() != before[l]) patch.changed.push_back(l);
  }
  std::sort(patch.changed.begin(), patch.changed.end());
  patch.changed.erase(std::unique(patch.changed.begin(), patch.changed.end()), patch.changed.end());
  patch.lists.resize(patch.changed.size());
  core::parallel_for(patch.changed.size(), 4, options.threads, progress,
                     [&](std::size_t begin, std::size_t end, std::size_t) {
                       for (std::size_t i = begin; i < end; ++i) {
                         const std::uint32_t l = patch.changed[i];
                         patch.lists[i] = encode_list(vectors, coder, &patch.heads[l * dim], copies[l]);
                       }
                     });
  return patch;
}

void apply(Patch&& patch, Lists& lists) {
  lists.lists.resize(patch.count);
  for (std::size_t i = 0; i < patch.changed.size(); ++i) lists.lists[patch.changed[i]] = std::move(patch.lists[i]);
  lists.heads = std::move(patch.heads);
}

}  // namespace hopspan::spann
