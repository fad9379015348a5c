#include "spann/assign/copies.h"

#include <algorithm>

#include "core/checked.h"
#include "core/threads.h"
#include "spann/clustering/grouped_centers.h"
#include "spann/clustering/heads.h"
#include "spann/lists/format.h"

namespace hopspan::spann {
namespace {

constexpr std::size_t kFirst = 4;  // heads whose list may have a vector's first copy
constexpr double kBalance = 0.5;
constexpr double kCutFill = 0.8;  // of the lists that a long one is cut into

struct Copy {
  std::uint32_t list;
  std::uint32_t entry;
  float distance;
};

class Assignment {
 public:
  Assignment(const Floats& vectors, const std::vector<float>& heads, const ReplicaOptions& options,
             std::size_t capacity, std::size_t threads)
      : vectors_(vectors),
        options_(options),
        capacity_(capacity),
        threads_(threads),
        most_(std::min(std::max(options.nearest, kFirst), heads.size() / vectors.dim())),
        centers_(heads.data(), heads.size() / vectors.dim(), vectors.dim(), most_, threads),
        rule_(heads.data(), vectors.dim(), options),
        first_(std::min(kFirst, centers_.count())),
        near_(core::checked_mul(vectors.size(), first_)),
        replicas_(core::checked_mul(vectors.size(), options.most), Nearest{0.0F, kNoSlot}) {}

  Copies run(const Progress& progress) {
    look_around(progress);
    std::vector<std::uint8_t> labels(vectors_.size());
    balance_labels(near_.data(), vectors_.size(), first_, centers_.count(), kBalance, labels.data());
    for (std::size_t i = 0; i < vectors_.size(); ++i) place(i, near_[i * first_ + labels[i]]);
    std::vector<Nearest>().swap(near_);
    return by_list();
  }

 private:
  void look_around(const Progress& progress) {
    const std::size_t at_once = centers_.vectors_at_once();
    core::parallel_for(vectors_.size(), at_once, threads_, progress,
                       [&](std::size_t begin, std::size_t end, std::size_t) {
                         GroupedCenters::Work work;
                         std::vector<float> floats((end - begin) * vectors_.dim());
                         std::vector<Nearest> nearest((end - begin) * most_);
                         vectors_.read(begin, end - begin, floats.data());
                         centers_.nearest(floats.data(), end - begin, most_, work, nearest.data());
                         for (std::size_t i = begin; i < end; ++i) {
                           const Nearest* const own = &nearest[(i - begin) * most_];
                           std::copy_n(own, first_, &near_[i * first_]);
                           rule_.choose(own, most_, &replicas_[i * options_.most]);
                         }
                       });
  }

  // The first copy goes where it is cheapest, the others where the rule says, as far as their number goes.
  void place(std::size_t slot, const Nearest& first) {
    Nearest* const chosen = &replicas_[slot * options_.most];
    std::size_t at = 0;
    while (at + 1 < options_.most && chosen[at].center != first.center) ++at;
    std::rotate(chosen, chosen + at, chosen + at + 1);
    chosen[0] = first;
  }

  Copies by_list() {
    std::vector<Copy> copies = sorted_copies();
    Copies result(centers_.count());
    auto from = copies.begin();
    for (std::uint32_t l = 0; l < result.size(); ++l) {
      const auto to = std::find_if(from, copies.end(), [=](const Copy& copy) { return copy.list != l; });
      const auto kept = trim(from, to);
      result[l].reserve(static_cast<std::size_t>(kept - from));
      for (auto copy = from; copy != kept; ++copy) result[l].push_back(copy->entry);
      std::sort(result[l].begin(), result[l].end(),
                [](std::uint32_t a, std::uint32_t b) { return slot_of(a) < slot_of(b); });
      from = to;
    }
    return result;
  }

  // By list, and in the order of slots within each.
  std::vector<Copy> sorted_copies() const {
    std::vector<std::size_t> at(centers_.count() + 1, 0);
    for (const Nearest& copy : replicas_) {
      if (copy.center != kNoSlot) ++at[copy.center + 1];
    }
    for (std::size_t l = 0; l < centers_.count(); ++l) at[l + 1] += at[l];
    std::vector<Copy> copies(at.back());
    for (std::size_t i = 0; i < replicas_.size(); ++i) {
      if (replicas_[i].center == kNoSlot) continue;
      const std::uint32_t slot = static_cast<std::uint32_t>(i / options_.most);
      const std::uint32_t entry = i % options_.most == 0 ? slot : slot | kReplica;
      copies[at[replicas_[i].center]++] = {replicas_[i].center, entry, replicas_[i].distance};
    }
    return copies;
  }

  // Drops the farthest replicas of a list that is too long.
  std::vector<Copy>::iterator trim(std::vector<Copy>::iterator begin, std::vector<Copy>::iterator end) const {
    const auto replicas = std::stable_partition(begin, end, [](const Copy& c) { return (c.entry & kReplica) == 0; });
    const std::size_t firsts = static_cast<std::size_t>(replicas - begin);
    const std::size_t limit = firsts <= capacity_ ? capacity_ : cut_limit(firsts);
    if (static_cast<std::size_t>(end - begin) <= limit) return end;
    std::stable_sort(replicas, end, [](const Copy& a, const Copy& b) { return a.distance < b.distance; });
    return std::max(replicas, begin + static_cast<std::ptrdiff_t>(limit));
  }

  std::size_t cut_limit(std::size_t firsts) const {
    const std::size_t cuts = (firsts + capacity_ - 1) / capacity_;
    return static_cast<std::size_t>(kCutFill * static_cast<double>(cuts * capacity_));
  }

  const Floats& vectors_;
  ReplicaOptions options_;
  std::size_t capacity_;
  std::size_t threads_;
  std::size_t most_;  // heads that are looked at
  GroupedCenters centers_;
  Replicas rule_;
  std::size_t first_;
  std::vector<Nearest> near_;      // first_ for each vector
  std::vector<Nearest> replicas_;  // options_.most for each vector, kNoSlot behind the last
};

}  // namespace

Copies assign_copies(const Floats& vectors, const std::vector<float>& heads, const ReplicaOptions& options,
                     std::size_t capacity, std::size_t threads, const Progress& progress) {
  return Assignment(vectors, heads, options, capacity, threads).run(progress);
}

}  // namespace hopspan::spann
