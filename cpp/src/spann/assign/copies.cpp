#include "spann/assign/copies.h"

#include <algorithm>
#include <mutex>

#include "core/threads.h"
#include "spann/clustering/grouped_centers.h"
#include "spann/lists/format.h"
#include "spann/search.h"

namespace hopspan::spann {
namespace {

constexpr double kCutFill = 0.8;  // of the lists that a long one is cut into

// The nearest replicas of a list so far, the farthest of them in front.
class NearReplicas {
 public:
  void offer(const Found& replica, std::size_t most) {
    if (replicas_.empty()) replicas_.reserve(most);
    if (replicas_.size() == most) {
      if (!(replica < replicas_.front())) return;
      std::pop_heap(replicas_.begin(), replicas_.end());
      replicas_.pop_back();
    }
    replicas_.push_back(replica);
    std::push_heap(replicas_.begin(), replicas_.end());
  }

  // The slots of the nearest ones, so many if there are. No more are kept.
  std::vector<std::uint32_t> take(std::size_t count) {
    std::sort_heap(replicas_.begin(), replicas_.end());
    std::vector<std::uint32_t> slots;
    for (std::size_t i = 0; i < std::min(count, replicas_.size()); ++i) slots.push_back(replicas_[i].slot);
    std::vector<Found>().swap(replicas_);
    return slots;
  }

 private:
  std::vector<Found> replicas_;
};

class Assignment {
 public:
  Assignment(const Floats& vectors, const std::vector<float>& heads, const ReplicaOptions& options,
             std::size_t capacity, std::size_t threads)
      : vectors_(vectors),
        options_(options),
        capacity_(capacity),
        threads_(threads),
        nearest_(std::min(options.nearest, heads.size() / vectors.dim())),
        centers_(heads.data(), heads.size() / vectors.dim(), vectors.dim(), nearest_, threads),
        rule_(heads.data(), vectors.dim(), options),
        first_(vectors.size()),
        replicas_(centers_.count()) {}

  Copies run(const Progress& progress) {
    look_around(progress);
    Copies copies = first_copies();
    for (std::size_t l = 0; l < copies.size(); ++l) {
      std::vector<std::uint32_t>& list = copies[l];
      for (const std::uint32_t slot : replicas_[l].take(room(list.size()))) list.push_back(slot | kReplica);
      list.shrink_to_fit();
      std::sort(list.begin(), list.end(), [](std::uint32_t a, std::uint32_t b) { return slot_of(a) < slot_of(b); });
    }
    return copies;
  }

 private:
  // Which thread offers a replica first makes no difference to those that are kept.
  void look_around(const Progress& progress) {
    std::mutex mutex;
    const std::size_t most = options_.most;
    core::parallel_for(vectors_.size(), centers_.vectors_at_once(), threads_, progress,
                       [&](std::size_t begin, std::size_t end, std::size_t) {
                         GroupedCenters::Work work;
                         const std::size_t count = end - begin;
                         std::vector<float> floats(count * vectors_.dim());
                         std::vector<Nearest> nearest(count * nearest_), chosen(count * most, {0.0F, kNoSlot});
                         vectors_.read(begin, count, floats.data());
                         centers_.nearest(floats.data(), count, nearest_, work, nearest.data());
                         for (std::size_t i = 0; i < count; ++i) {
                           rule_.choose(&nearest[i * nearest_], nearest_, &chosen[i * most]);
                           first_[begin + i] = chosen[i * most].center;
                         }
                         const std::lock_guard<std::mutex> lock(mutex);
                         for (std::size_t i = 0; i < chosen.size(); ++i) {
                           if (i % most == 0 || chosen[i].center == kNoSlot) continue;
                           const std::uint32_t slot = static_cast<std::uint32_t>(begin + i / most);
                           replicas_[chosen[i].center].offer({chosen[i].distance, slot}, capacity_);
                         }
                       });
  }

  Copies first_copies() {
    std::vector<std::size_t> sizes(centers_.count(), 0);
    for (const std::uint32_t list : first_) ++sizes[list];
    Copies copies(sizes.size());
    for (std::size_t l = 0; l < copies.size(); ++l) copies[l].reserve(sizes[l]);
    for (std::uint32_t slot = 0; slot < first_.size(); ++slot) copies[first_[slot]].push_back(slot);
    std::vector<std::uint32_t>().swap(first_);
    return copies;
  }

  // For replicas in a list of so many first copies.
  std::size_t room(std::size_t firsts) const {
    if (firsts <= capacity_) return capacity_ - firsts;
    const std::size_t cuts = (firsts + capacity_ - 1) / capacity_;
    const std::size_t limit = static_cast<std::size_t>(kCutFill * static_cast<double>(cuts * capacity_));
    return limit > firsts ? limit - firsts : 0;
  }

  const Floats& vectors_;
  ReplicaOptions options_;
  std::size_t capacity_;
  std::size_t threads_;
  std::size_t nearest_;  // heads that are looked at
  GroupedCenters centers_;
  Replicas rule_;
  std::vector<std::uint32_t> first_;  // the list of each vector's first copy
  std::vector<NearReplicas> replicas_;
};

}  // namespace

Copies assign_copies(const Floats& vectors, const std::vector<float>& heads, const ReplicaOptions& options,
                     std::size_t capacity, std::size_t threads, const Progress& progress) {
  return Assignment(vectors, heads, options, capacity, threads).run(progress);
}

}  // namespace hopspan::spann
