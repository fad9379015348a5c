#include "spann/update/update.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/checked.h"
#include "core/threads.h"
#include "spann/assign/copies.h"
#include "spann/clustering/hierarchy.h"
#include "spann/clustering/means.h"
#include "spann/lists/format.h"
#include "vectors/query.h"

namespace hopspan::spann {
namespace {

constexpr std::size_t kBlock = Centers::kVectorsAtOnce;
constexpr std::size_t kLongest = 3;     // halves of the mean: a longer list is cut
constexpr std::size_t kShortest = 4;    // a list of less than such a part of the mean is closed
constexpr std::size_t kNeighbors = 64;  // lists around one that was cut whose vectors may be nearer to its parts
constexpr std::size_t kRounds = 4;      // of cutting and closing; what they leave waits for the next change
constexpr std::size_t kLeastLimit = 4;
constexpr float kFarMean = 1.0F / 32;  // of the mean squared distance of a list's vectors from their mean

void sort_once(std::vector<std::uint32_t>& slots) {
  std::sort(slots.begin(), slots.end());
  slots.erase(std::unique(slots.begin(), slots.end()), slots.end());
}

}  // namespace

Update::Update(const Lists& lists, const Centers& centers, Places& places, const Floats& vectors, std::size_t count,
               const BuildOptions& options, const Progress& progress)
    : centers_(centers),
      vectors_(vectors),
      options_(options),
      progress_(progress),
      l2_(vectors::kernel_of(Metric::kL2, DType::kFloat32).one),
      mean_(count / options.heads),
      longest_(std::max(kLeastLimit, std::min(options.capacity, kLongest * mean_ / 2))),
      shortest_(mean_ / kShortest),
      coder_(lists.codebook, options.metric),
      draft_(lists, places, vectors, coder_, options.threads) {}

Patch Update::run(const Slots& removed, const Slots& added) {
  for (const std::uint32_t slot : removed) {
    if (draft_.places().has(slot)) draft_.take_out(slot);
  }
  assign(added);
  for (std::size_t round = 0; round < kRounds && rebalance(); ++round) {
  }
  fit();
  Patch patch = draft_.finish(progress_);
  patch.moved = moved_;
  return patch;
}

void Update::apply(Patch& patch, Lists& lists) noexcept {
  lists.lists.resize(patch.count);
  for (std::size_t i = 0; i < patch.changed.size(); ++i) lists.lists[patch.changed[i]] = std::move(patch.lists[i]);
  if (!patch.heads.empty()) lists.heads = std::move(patch.heads);
  draft_.keep();
}

// Returns whether there was anything to do.
bool Update::rebalance() {
  Slots suspects;
  std::vector<Cut> cuts;
  for (std::uint32_t l = 0, lists = static_cast<std::uint32_t>(draft_.count()); l < lists; ++l) {
    if (draft_.places().firsts[l] > longest_) cuts.push_back(cut(l, suspects));
  }
  follow_means(cuts);
  moved_ += cuts.size();
  for (const Cut& cut : cuts) look_at_parts(cut, suspects);
  if (!cuts.empty()) look_around(cuts, suspects);
  const bool closed = close_short_lists(suspects);
  sort_once(suspects);
  assign(suspects);
  return closed || !cuts.empty();
}

// dropped: gets the slots whose replicas the list had, which are gone.
Update::Cut Update::cut(std::uint32_t list, Slots& dropped) {
  const std::size_t dim = vectors_.dim();
  for (const std::uint32_t slot : draft_.slots(list, true)) {
    draft_.drop_replica(slot, list);
    dropped.push_back(slot);
  }
  Cut cut{{draft_.head(list), draft_.head(list) + dim}, {list}};
  std::vector<float> heads;
  const Copies parts = divide(draft_.slots(list, false), heads);
  draft_.set_head(list, heads.data());
  for (std::size_t p = 1; p < parts.size(); ++p) {
    cut.parts.push_back(draft_.append(&heads[p * dim]));
    for (const std::uint32_t slot : parts[p]) draft_.move_first(slot, cut.parts.back());
  }
  return cut;
}

// Lists whose vectors have changed so much that their head is far from the mean get another one, as if they were cut.
void Update::follow_means(std::vector<Cut>& cuts) {
  const std::size_t dim = vectors_.dim();
  std::vector<std::vector<float>> means(draft_.count());  // of such lists
  core::parallel_for(means.size(), 1, options_.threads, progress_, [&](std::size_t l, std::size_t, std::size_t) {
    const std::uint32_t list = static_cast<std::uint32_t>(l);
    if (!draft_.is_open(list)) return;
    const Slots slots = draft_.slots(list, false);
    const std::vector<float> vectors = gather(slots);
    Slots all(slots.size());
    std::iota(all.begin(), all.end(), 0U);
    std::vector<float> mean(dim);
    mean_of(vectors.data(), dim, all.data(), all.size(), mean.data());
    float spread = 0.0F;
    for (std::size_t i = 0; i < slots.size(); ++i) spread += distance(&vectors[i * dim], mean.data());
    const float share = std::max(kFarMean, 4.0F / static_cast<float>(slots.size() + 1));
    if (distance(mean.data(), draft_.head(list)) * static_cast<float>(slots.size()) > share * spread) means[l] = mean;
  });
  for (std::uint32_t l = 0; l < means.size(); ++l) {
    if (means[l].empty()) continue;
    cuts.push_back({{draft_.head(l), draft_.head(l) + dim}, {l}});
    draft_.set_head(l, means[l].data());
  }
}

// Clusters of about the mean size; halves, whose vectors may be alike, where there are none.
Copies Update::divide(const Slots& slots, std::vector<float>& heads) const {
  const std::size_t dim = vectors_.dim();
  const std::vector<float> vectors = gather(slots);
  HierarchyOptions how;
  how.clusters = std::max<std::size_t>(2, (slots.size() + mean_ / 2) / mean_);
  how.seed = options_.seed;
  how.threads = options_.threads;
  const std::vector<float> means = hierarchical_means(vectors.data(), slots.size(), dim, how, progress_);
  const Centers centers(means.data(), means.size() / dim, dim);
  Copies clusters(centers.count()), parts;
  Centers::Work work;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    Nearest nearest[1];
    centers.nearest(&vectors[i * dim], 1, 1, work, nearest);
    clusters[nearest[0].center].push_back(slots[i]);
  }
  for (std::size_t c = 0; c < clusters.size(); ++c) {
    if (clusters[c].size() > longest_ && 8 * clusters[c].size() > 7 * slots.size()) {
      parts = {slots};
      heads.assign(dim, 0.0F);
      split_long_lists(vectors_, longest_, heads, parts);
      return parts;
    }
    if (clusters[c].empty()) continue;
    parts.push_back(std::move(clusters[c]));
    heads.insert(heads.end(), &means[c * dim], &means[c * dim] + dim);
  }
  return parts;
}

// A vector to which the head was nearer than its parts' are may be nearer to that of another list.
void Update::look_at_parts(const Cut& cut, Slots& suspects) const {
  for (const std::uint32_t list : cut.parts) {
    const Slots slots = draft_.slots(list, false);
    const std::vector<float> vectors = gather(slots);
    for (std::size_t i = 0; i < slots.size(); ++i) {
      const float* const vector = &vectors[i * vectors_.dim()];
      const float before = distance(vector, cut.head.data());
      const bool nearer = std::any_of(cut.parts.begin(), cut.parts.end(), [&](std::uint32_t part) {
        return distance(vector, draft_.head(part)) <= before;
      });
      if (!nearer) suspects.push_back(slots[i]);
    }
  }
}

// Vectors of other lists that are nearer to a part than to their own head.
void Update::look_around(const std::vector<Cut>& cuts, Slots& suspects) const {
  const Centers centers(draft_.heads(), draft_.count(), vectors_.dim());
  std::vector<Slots> parts(draft_.count());  // that the vectors of each list are compared with
  Centers::Work work;
  for (const Cut& cut : cuts) {
    std::vector<Nearest> nearest(std::min(kNeighbors, centers.count()));
    centers.nearest(cut.head.data(), 1, nearest.size(), work, nearest.data());
    for (const Nearest& near : nearest) {
      if (std::find(cut.parts.begin(), cut.parts.end(), near.center) != cut.parts.end()) continue;
      parts[near.center].insert(parts[near.center].end(), cut.parts.begin(), cut.parts.end());
    }
  }
  std::vector<Slots> found(parts.size());
  core::parallel_for(parts.size(), 1, options_.threads, progress_, [&](std::size_t l, std::size_t, std::size_t) {
    if (parts[l].empty()) return;
    const std::uint32_t list = static_cast<std::uint32_t>(l);
    const Slots slots = draft_.slots(list, false);
    const std::vector<float> vectors = gather(slots);
    for (std::size_t i = 0; i < slots.size(); ++i) {
      const float* const vector = &vectors[i * vectors_.dim()];
      const float own = distance(vector, draft_.head(list));
      const bool nearer = std::any_of(parts[l].begin(), parts[l].end(),
                                      [&](std::uint32_t part) { return distance(vector, draft_.head(part)) < own; });
      if (nearer) found[l].push_back(slots[i]);
    }
  });
  for (const Slots& slots : found) suspects.insert(suspects.end(), slots.begin(), slots.end());
}

// The vectors of lists that are closed are nowhere, but among the suspects.
bool Update::close_short_lists(Slots& suspects) {
  const std::vector<std::uint32_t> closing = lists_to_close();
  for (const std::uint32_t list : closing) {
    for (const std::uint32_t slot : draft_.slots(list, true)) draft_.drop_replica(slot, list);
    for (const std::uint32_t slot : draft_.slots(list, false)) {
      draft_.take_out(slot);
      suspects.push_back(slot);
    }
    draft_.remove(list);
  }
  moved_ += closing.size();
  return !closing.empty();
}

// Descending; the list nearest to one of them stays.
std::vector<std::uint32_t> Update::lists_to_close() const {
  const std::vector<std::uint32_t>& firsts = draft_.places().firsts;
  std::vector<std::uint32_t> closing, candidates;
  for (std::uint32_t l = 0; l < firsts.size(); ++l) {
    if (firsts[l] < shortest_) candidates.push_back(l);
  }
  if (candidates.empty() || firsts.size() == 1) return closing;
  std::stable_sort(candidates.begin(), candidates.end(), [&](auto a, auto b) { return firsts[a] < firsts[b]; });
  const Centers centers(draft_.heads(), draft_.count(), vectors_.dim());
  Centers::Work work;
  std::vector<bool> closed(firsts.size(), false), stays(firsts.size(), false);
  for (const std::uint32_t list : candidates) {
    Nearest nearest[2];
    centers.nearest(draft_.head(list), 1, 2, work, nearest);
    const std::uint32_t neighbor = nearest[nearest[0].center == list ? 1 : 0].center;
    if (stays[list] || closed[neighbor]) continue;
    closed[list] = stays[neighbor] = true;
    closing.push_back(list);
  }
  std::sort(closing.rbegin(), closing.rend());
  return closing;
}

void Update::assign(const Slots& slots) {
  if (slots.empty()) return;
  if (!draft_.heads_moved()) return assign_by(centers_, slots);
  assign_by(Centers(draft_.heads(), draft_.count(), vectors_.dim()), slots);
}

void Update::assign_by(const Centers& centers, const Slots& slots) {
  const std::size_t dim = vectors_.dim(), most = options_.replicas.most;
  const std::size_t looked = std::min(options_.replicas.nearest, centers.count());
  const Replicas rule(draft_.heads(), dim, options_.replicas);
  std::vector<Nearest> chosen(core::checked_mul(slots.size(), most), Nearest{0.0F, kNowhere});
  core::parallel_for(slots.size(), kBlock, options_.threads, progress_,
                     [&](std::size_t begin, std::size_t end, std::size_t) {
                       Centers::Work work;
                       std::vector<float> vectors((end - begin) * dim);
                       std::vector<Nearest> nearest((end - begin) * looked);
                       vectors_.gather(&slots[begin], end - begin, vectors.data());
                       centers.nearest(vectors.data(), end - begin, looked, work, nearest.data());
                       for (std::size_t i = begin; i < end; ++i) {
                         choose(rule, slots[i], &nearest[(i - begin) * looked], looked, &chosen[i * most]);
                       }
                     });
  for (std::size_t i = 0; i < slots.size(); ++i) place(slots[i], &chosen[i * most]);
}

// A vector's first copy stays where no other head is nearer.
void Update::choose(const Replicas& rule, std::uint32_t slot, Nearest* nearest, std::size_t count,
                    Nearest* chosen) const {
  Nearest* const end = nearest + count;
  Nearest* const own = std::find_if(nearest, end, [&](const Nearest& n) { return n.center == first_of(slot); });
  if (own != end && own->distance <= nearest->distance) std::rotate(nearest, own, own + 1);
  rule.choose(nearest, count, chosen);
}

void Update::place(std::uint32_t slot, const Nearest* chosen) {
  std::vector<std::uint32_t> lists;
  for (std::size_t i = 0; i < options_.replicas.most && chosen[i].center != kNowhere; ++i) {
    lists.push_back(chosen[i].center);
  }
  std::sort(lists.begin() + 1, lists.end());
  if (draft_.places().has(slot)) {
    lists.resize(draft_.places().most(), kNowhere);
    if (std::equal(lists.begin(), lists.end(), draft_.places().of(slot))) return;
    lists.erase(std::find(lists.begin(), lists.end(), kNowhere), lists.end());
    draft_.take_out(slot);
  }
  draft_.put_in(slot, lists.data(), lists.size());
}

// No list that the change has touched is longer than it may be: replicas go, the farthest ones first, and where there
// are none, it is cut.
void Update::fit() {
  for (std::uint32_t l = 0; l < draft_.count(); ++l) {
    if (!draft_.is_open(l)) continue;
    Slots dropped;
    while (draft_.places().firsts[l] > options_.capacity) cut(l, dropped);
    const std::size_t size = draft_.entries(l).size();
    if (size <= options_.capacity) continue;
    for (const std::uint32_t slot : farthest_replicas(l, size - options_.capacity)) draft_.drop_replica(slot, l);
  }
}

Update::Slots Update::farthest_replicas(std::uint32_t list, std::size_t count) const {
  const Slots slots = draft_.slots(list, true);
  const std::vector<float> vectors = gather(slots);
  std::vector<std::pair<float, std::uint32_t>> order;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    order.emplace_back(-distance(&vectors[i * vectors_.dim()], draft_.head(list)), slots[i]);
  }
  std::sort(order.begin(), order.end());
  Slots farthest;
  for (std::size_t i = 0; i < count; ++i) farthest.push_back(order[i].second);
  return farthest;
}

std::vector<float> Update::gather(const Slots& slots) const {
  std::vector<float> vectors(core::checked_mul(slots.size(), vectors_.dim()));
  vectors_.gather(slots.data(), slots.size(), vectors.data());
  return vectors;
}

}  // namespace hopspan::spann
