// Lists under change: every vector in its lists, none too long, none left behind by the heads that come and go.
// Planted bugs that turn these tests red, each tried on its own: no look_around, no look_at_parts, no follow_means, no
// closing, a closed list whose number the last one does not take in places, a draft that does not undo, replicas that
// are not dropped.
#include <algorithm>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <stdexcept>
#include <vector>

#include "core/random.h"
#include "spann/gaussians.h"
#include "spann/lists/product_coder.h"
#include "spann/update/update.h"
#include "test.h"

using namespace hopspan;
using spann::kReplica;
using spann::MatrixFloats;
using spann::slot_of;

namespace {

using Slots = std::vector<std::uint32_t>;

constexpr std::size_t kDim = 8, kCapacity = 48, kMean = 18;

spann::BuildOptions options_for(std::size_t count, std::size_t threads = 2) {
  spann::BuildOptions options;
  options.heads = std::max<std::size_t>(1, count / kMean);
  options.capacity = kCapacity;
  options.threads = threads;
  return options;
}

// Lists of some rows of a matrix, and what they should hold.
struct Index {
  Index(const vectors::Matrix& all, const Slots& first, std::size_t on_threads = 2)
      : rows(all), threads(on_threads), held(first.begin(), first.end()) {
    const spann::PickedFloats picked(rows, first);
    lists = spann::build(picked, options_for(first.size(), threads), {});
    coder = std::make_unique<spann::ProductCoder>(lists.codebook, Metric::kL2);
    for (spann::ListArray& list : lists.lists) spann::renumber(first, coder->shape(), list);
    places = std::make_unique<spann::Places>(lists, coder->shape(), rows.size(), 2);
  }

  void change(const Slots& removed, const Slots& added, const Progress& progress = {}) {
    const std::size_t count = held.size() + added.size() - removed.size();
    const spann::Centers centers(lists.heads.data(), lists.lists.size(), kDim);
    const MatrixFloats vectors(rows);
    spann::Update update(lists, centers, *places, vectors, count, options_for(count, threads), progress);
    spann::Patch patch = update.run(removed, added);
    update.apply(patch, lists);
    for (const std::uint32_t slot : removed) held.erase(slot);
    held.insert(added.begin(), added.end());
  }

  std::vector<Slots> entries() const {
    std::vector<Slots> all;
    for (const spann::ListArray& list : lists.lists) {
      const spann::ListView view(list.data(), list.size(), coder->shape());
      Slots entries;
      for (std::size_t i = 0; i < view.entries(); ++i) entries.push_back(view.entry(i));
      all.push_back(entries);
    }
    return all;
  }

  // Everything but how good the lists are.
  void check() const {
    CHECK_EQUAL(lists.heads.size(), lists.lists.size() * kDim);
    std::set<std::uint32_t> firsts;
    const std::vector<Slots> all = entries();
    for (std::size_t l = 0; l < all.size(); ++l) {
      CHECK(all[l].size() <= kCapacity);
      std::set<std::uint32_t> here;
      for (const std::uint32_t entry : all[l]) {
        CHECK(held.count(slot_of(entry)) == 1 && here.insert(slot_of(entry)).second);
        if ((entry & kReplica) == 0) CHECK(firsts.insert(entry).second);
      }
      const auto coded = spann::encode_list(MatrixFloats(rows), *coder, &lists.heads[l * kDim], all[l]);
      CHECK(std::equal(coded.data(), coded.data() + coded.size(), lists.lists[l].data()));
    }
    CHECK(firsts == held);
    const spann::Places found(lists, coder->shape(), rows.size(), 2);
    CHECK(found.firsts == places->firsts);
    for (std::uint32_t slot = 0; slot < rows.size(); ++slot) {
      CHECK(std::equal(found.of(slot), found.of(slot) + 2, places->of(slot)));
    }
  }

  // The share of vectors whose first copy is in the list of their nearest head.
  double at_home() const {
    const spann::Centers centers(lists.heads.data(), lists.lists.size(), kDim);
    spann::Centers::Work work;
    std::size_t good = 0;
    for (const std::uint32_t slot : held) {
      spann::Nearest nearest[1];
      centers.nearest(reinterpret_cast<const float*>(rows.row(slot)), 1, 1, work, nearest);
      good += nearest[0].center == *places->of(slot);
    }
    return static_cast<double>(good) / static_cast<double>(held.size());
  }

  double largest_over_mean() const {
    std::size_t largest = 0, sum = 0;
    for (const Slots& list : entries()) {
      largest = std::max(largest, list.size());
      sum += list.size();
    }
    return static_cast<double>(largest * lists.lists.size()) / static_cast<double>(sum);
  }

  const vectors::Matrix& rows;
  std::size_t threads;
  spann::Lists lists;
  std::unique_ptr<spann::ProductCoder> coder;
  std::unique_ptr<spann::Places> places;
  std::set<std::uint32_t> held;
};

Slots range(std::uint32_t first, std::uint32_t end) {
  Slots slots(end - first);
  std::iota(slots.begin(), slots.end(), first);
  return slots;
}

// Every slot of [first, end) once, `some` at a time in random order.
std::vector<Slots> parts(std::uint32_t first, std::uint32_t end, std::size_t some, std::uint64_t seed) {
  std::map<std::uint64_t, std::uint32_t> order;
  for (std::uint32_t slot = first; slot < end; ++slot) order.emplace(core::random_u64(seed, slot), slot);
  std::vector<Slots> all;
  for (const auto& [key, slot] : order) {
    if (all.empty() || all.back().size() == some) all.emplace_back();
    all.back().push_back(slot);
  }
  for (Slots& slots : all) std::sort(slots.begin(), slots.end());
  return all;
}

}  // namespace

TEST(update_takes_vectors_in_and_out) {
  const vectors::Matrix rows = test::gaussians(3000, kDim, 5);
  Index index(rows, range(0, 1500));
  index.check();
  for (const Slots& slots : parts(1500, 3000, 100, 1)) {
    index.change({}, slots);
    index.check();
  }
  CHECK(index.lists.lists.size() > 3000 / kMean / 2);
  for (const Slots& slots : parts(0, 2700, 150, 2)) {
    index.change(slots, {});
    index.check();
  }
  CHECK(index.lists.lists.size() < 300 / kMean * 4);
  for (std::uint32_t slot = 2700; slot < 2999; ++slot) index.change({slot}, {});
  index.check();
  CHECK_EQUAL(index.held.size(), std::size_t{1});
}

TEST(update_keeps_vectors_at_their_nearest_heads) {
  const vectors::Matrix rows = test::gaussians(4000, kDim, 6);
  Index index(rows, range(0, 2000));
  const double before = index.at_home();
  const std::vector<Slots> gone = parts(0, 2000, 100, 3), come = parts(2000, 4000, 100, 4);
  double worst = 1.0, largest = 0.0;
  for (std::size_t step = 0; step < gone.size(); ++step) {
    index.change(gone[step], come[step]);
    worst = std::min(worst, index.at_home());
    largest = std::max(largest, index.largest_over_mean());
  }
  index.check();
  CHECK(before > 0.99);
  CHECK(worst > 0.98);
  CHECK(largest <= 2.5);
}

// From one half of the space to the other.
TEST(update_follows_drift) {
  const vectors::Matrix rows = test::gaussians(4000, kDim, 7);
  std::vector<std::pair<float, std::uint32_t>> order;
  for (std::uint32_t slot = 0; slot < 4000; ++slot) {
    order.emplace_back(reinterpret_cast<const float*>(rows.row(slot))[0], slot);
  }
  std::sort(order.begin(), order.end());
  Slots here, there;
  for (std::size_t i = 0; i < 4000; ++i) (i < 2000 ? here : there).push_back(order[i].second);
  std::sort(here.begin(), here.end());
  Index index(rows, here);
  const std::size_t lists = index.lists.lists.size();
  for (std::size_t step = 0; step < 20; ++step) {
    const auto part = [&](const Slots& slots) {
      Slots some;
      for (std::size_t i = step; i < slots.size(); i += 20) some.push_back(slots[i]);
      std::sort(some.begin(), some.end());
      return some;
    };
    index.change(part(here), part(there));
    CHECK(index.largest_over_mean() <= 2.5);
  }
  index.check();
  CHECK(index.at_home() > 0.96);
  CHECK(index.lists.lists.size() < lists * 3 / 2 && index.lists.lists.size() > lists / 2);
}

// The head of a list goes where its vectors are, and leaves one behind that another head is nearer to.
TEST(update_leads_heads_after_their_vectors) {
  constexpr float kPlaces[] = {1.9F, -3.0F, 4.0F};
  std::vector<float> values(42 * kDim, 0.0F);
  for (std::size_t i = 0; i < 42; ++i) values[i * kDim] = kPlaces[i == 0 ? 0 : i < 22 ? 1 : 2];
  vectors::Matrix rows({kDim, Metric::kL2, DType::kFloat32});
  rows.append({values.data(), 42, kDim, DType::kFloat32});
  Index index(rows, range(0, 20));
  index.lists.heads.assign(2 * kDim, 0.0F);
  index.lists.heads[kDim] = 4.0F;
  index.held = {};
  index.lists.lists.clear();
  for (const Slots& slots : {range(0, 21), range(22, 42)}) {
    const float* const head = &index.lists.heads[index.lists.lists.size() * kDim];
    index.lists.lists.push_back(spann::encode_list(MatrixFloats(rows), *index.coder, head, slots));
    index.held.insert(slots.begin(), slots.end());
  }
  index.places = std::make_unique<spann::Places>(index.lists, index.coder->shape(), 42, 2);
  CHECK_EQUAL(*index.places->of(0), 0U);
  index.change({}, {21});
  index.check();
  CHECK_EQUAL(index.lists.heads[0], -3.0F);
  CHECK_EQUAL(*index.places->of(0), 1U);
}

TEST(update_cuts_lists_of_equal_vectors) {
  vectors::Matrix rows({kDim, Metric::kL2, DType::kFloat32});
  const std::vector<float> ones(1000 * kDim, 1.0F);
  rows.append({ones.data(), 1000, kDim, DType::kFloat32});
  Index index(rows, range(0, 20));
  for (std::uint32_t first = 20; first < 1000; first += 70) index.change({}, range(first, first + 70));
  index.check();
  CHECK(index.lists.lists.size() < 1000 / kMean * 2);
}

TEST(update_that_is_dropped_leaves_everything) {
  const vectors::Matrix rows = test::gaussians(3000, kDim, 8);
  Index index(rows, range(0, 1500), 1);
  Index other(rows, range(0, 1500), 1);
  const Slots removed = range(0, 600), added = range(1500, 2600);
  std::size_t cancelled = 0;
  for (std::size_t last = 0;; ++last) {
    std::size_t calls = 0;
    try {
      index.change(removed, added, [&](std::size_t, std::size_t) {
        if (calls++ == last) throw std::runtime_error("cancelled");
      });
      break;
    } catch (const std::runtime_error&) {
      ++cancelled;
      index.check();
    }
  }
  CHECK(cancelled >= 4);
  other.change(removed, added);
  CHECK(index.entries() == other.entries());
  CHECK(index.lists.heads == other.lists.heads);
}

TEST(update_is_the_same_on_any_number_of_threads) {
  const vectors::Matrix rows = test::gaussians(3000, kDim, 9);
  std::vector<std::vector<Slots>> made;
  for (const std::size_t threads : {1, 2, 5}) {
    Index index(rows, range(0, 1500), threads);
    index.change(range(0, 500), range(1500, 2900));
    made.push_back(index.entries());
  }
  CHECK(made[0] == made[1] && made[0] == made[2]);
}
