// Planted bugs that turn these tests red, each tried on its own: a reach that forgets the offset, a second fetch that
// begins at the first list again, a survey whose entries name the place of the list in the fetch, candidates whose
// copies count, the nearest copy in place of the mean.
#include <algorithm>
#include <limits>
#include <map>
#include <vector>

#include "distance/kernels.h"
#include "spann/build.h"
#include "spann/gaussians.h"
#include "spann/lists/memory_lists.h"
#include "spann/lists/product_coder.h"
#include "spann/search.h"
#include "test.h"

using hopspan::CorruptIndexError;
using hopspan::Metric;
using hopspan::test::gaussians;
namespace spann = hopspan::spann;

namespace {

constexpr std::size_t kCount = 5000, kDim = 12, kQueries = 50, kK = 10;

struct Made {
  Made() : rows(gaussians(kCount, kDim, 1)), queries(gaussians(kQueries, kDim, 9)) {
    options.heads = 120;
    options.capacity = 90;
    lists = spann::build(spann::MatrixFloats(rows), options, {});
  }
  hopspan::vectors::Matrix rows, queries;
  spann::BuildOptions options;
  spann::Lists lists;
};

double recall(const Made& made, std::size_t probes, std::size_t slots = kCount) {
  const hopspan::distance::OneFn one = hopspan::distance::kernels().kernels[0][0].one;
  const spann::RankedHeads ranked(made.lists.heads.data(), made.lists.lists.size(), kDim, Metric::kL2);
  const spann::MemoryLists source(made.lists.lists);
  const spann::ProductCoder coder(made.lists.codebook, Metric::kL2);
  const spann::ListSearcher searcher(coder, ranked.lengths(), source, slots);
  spann::Centers::Work work;
  spann::SearchScratch scratch;
  std::size_t hits = 0;
  for (std::size_t q = 0; q < kQueries; ++q) {
    const auto* const query = reinterpret_cast<const float*>(made.queries.row(q));
    probes = std::min(probes, ranked.count());
    std::vector<spann::Nearest> heads(probes);
    ranked.probe(query, 1, probes, work, heads.data());
    std::vector<spann::Found> found(kK), truth;
    const std::size_t count = searcher.search(
        {query, heads.data(), probes, kK, 60},
        [&](const std::uint32_t* numbers, std::size_t n, float* out) {
          for (std::size_t i = 0; i < n; ++i) out[i] = one(query, made.rows.row(numbers[i]), kDim);
        },
        scratch, found.data());
    for (std::uint32_t i = 0; i < kCount; ++i) truth.push_back({one(query, made.rows.row(i), kDim), i});
    std::partial_sort(truth.begin(), truth.begin() + kK, truth.end());
    for (std::size_t i = 0; i < count; ++i) hits += found[i].distance <= truth[kK - 1].distance;
  }
  return static_cast<double>(hits) / (kQueries * kK);
}

}  // namespace

TEST(list_search_finds_more_with_more_lists) {
  const Made made;
  CHECK(recall(made, 100000) > 0.98);
  CHECK(recall(made, 12) > 0.9);
  CHECK(recall(made, 1) < recall(made, 12));
}

TEST(list_search_refuses_a_slot_that_does_not_exist) {
  const Made made;
  CHECK_THROWS(CorruptIndexError, "a list holds vector", recall(made, 100, 10));
}

namespace {

struct Searched {
  explicit Searched(const Made& made)
      : ranked(made.lists.heads.data(), made.lists.lists.size(), kDim, Metric::kL2),
        source(made.lists.lists),
        coder(made.lists.codebook, Metric::kL2),
        searcher(coder, ranked.lengths(), source, kCount) {}

  std::vector<spann::Nearest> heads(const float* query) {
    std::vector<spann::Nearest> all(ranked.count());
    ranked.probe(query, 1, all.size(), work, all.data());
    return all;
  }

  spann::RankedHeads ranked;
  spann::MemoryLists source;
  spann::ProductCoder coder;
  spann::ListSearcher searcher;
  spann::Centers::Work work;
  spann::SearchScratch scratch;
};

const float* query_of(const Made& made, std::size_t q) { return reinterpret_cast<const float*>(made.queries.row(q)); }

bool same(const std::vector<spann::Seen>& a, const std::vector<spann::Seen>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const spann::Seen& x, const spann::Seen& y) {
    return x.distance == y.distance && x.list == y.list && x.slot == y.slot;
  });
}

}  // namespace

// The offset is so large that it is the distance of every entry.
TEST(list_search_goes_as_far_as_its_reach) {
  const Made made;
  Searched searched(made);
  const float* const query = query_of(made, 0);
  const std::vector<spann::Nearest> heads = searched.heads(query);
  std::vector<std::uint32_t> slots;  // of the candidates
  const auto lists = [&](float reach, std::size_t probes) {
    spann::SearchRequest request{query, heads.data(), probes, kK, kCount};
    request.reach = reach;
    request.offset = 1e6F;
    request.judged = kK;
    std::vector<spann::Found> found(kK);
    searched.scratch.cost = {};
    searched.searcher.search(
        request,
        [&](const std::uint32_t* numbers, std::size_t n, float* out) {
          slots.assign(numbers, numbers + n);
          std::fill(out, out + n, 1.0F);
        },
        searched.scratch, found.data());
    std::sort(slots.begin(), slots.end());
    return searched.scratch.cost.fetched;
  };
  CHECK_EQUAL(lists(0.0F, heads.size()), spann::kFirstLists);
  const float apart = (heads[30].distance + heads[31].distance) / 2 - heads[0].distance;
  CHECK_EQUAL(lists(apart / 1e6F, heads.size()), 31u);
  CHECK_EQUAL(lists(apart / 1e6F, 25), 25u);
  CHECK_EQUAL(lists(1e6F, heads.size()), heads.size());
  const std::vector<std::uint32_t> after_two_fetches = slots;
  CHECK_EQUAL(lists(std::numeric_limits<float>::infinity(), heads.size()), heads.size());
  CHECK(slots == after_two_fetches);
  CHECK_EQUAL(lists(0.0F, 3), 3u);
}

TEST(list_survey_of_many_queries_fetches_each_list_once) {
  const Made made;
  Searched searched(made);
  constexpr std::size_t kProbes = 40, kMost = 300;
  std::vector<std::vector<spann::Nearest>> heads;
  std::vector<spann::Survey> together;
  std::vector<bool> asked(searched.ranked.count(), false);
  for (std::size_t q = 0; q < 8; ++q) {
    heads.push_back(searched.heads(query_of(made, q)));
    for (std::size_t i = 0; i < kProbes; ++i) asked[heads[q][i].center] = true;
  }
  for (std::size_t q = 0; q < 8; ++q) together.push_back({query_of(made, q), heads[q].data(), kProbes, 77, {}});
  searched.searcher.survey(together, kMost, searched.scratch);
  CHECK_EQUAL(searched.scratch.cost.fetched, static_cast<std::size_t>(std::count(asked.begin(), asked.end(), true)));
  for (std::size_t q = 0; q < 8; ++q) {
    std::vector<spann::Survey> alone = {{query_of(made, q), heads[q].data(), kProbes, 77, {}}};
    searched.searcher.survey(alone, 100000, searched.scratch);
    const std::vector<spann::Seen>& all = alone[0].seen;
    CHECK(std::is_sorted(all.begin(), all.end()));
    CHECK(std::none_of(all.begin(), all.end(), [](const spann::Seen& seen) { return seen.slot == 77; }));
    CHECK(std::any_of(all.begin(), all.end(), [](const spann::Seen& seen) { return seen.list == kProbes - 1; }));
    CHECK(same(together[q].seen, {all.begin(), all.begin() + kMost}));
  }
}

TEST(list_search_counts_a_candidate_of_many_copies_once) {
  const Made made;
  Searched searched(made);
  for (std::size_t q = 0; q < 8; ++q) {
    const std::vector<spann::Nearest> heads = searched.heads(query_of(made, q));
    spann::SearchRequest request{query_of(made, q), heads.data(), 30, 20, 20};
    request.copies = made.options.replicas.most;
    std::vector<spann::Found> found(20);
    const auto distances = [](const std::uint32_t* slots, std::size_t n, float* out) { std::copy_n(slots, n, out); };
    CHECK_EQUAL(searched.searcher.search(request, distances, searched.scratch, found.data()), 20u);
    CHECK(std::adjacent_find(found.begin(), found.end(),
                             [](const auto& a, const auto& b) { return a.slot == b.slot; }) == found.end());
    request.copies = 1;
    CHECK(searched.searcher.search(request, distances, searched.scratch, found.data()) <= 20u);
  }
}

// With one candidate the search shows which vector it takes for the nearest.
TEST(list_search_tells_a_candidate_by_the_mean_of_its_copies) {
  const Made made;
  Searched searched(made);
  std::size_t differ = 0;
  for (std::size_t q = 0; q < kQueries; ++q) {
    const std::vector<spann::Nearest> heads = searched.heads(query_of(made, q));
    std::vector<spann::Survey> survey = {{query_of(made, q), heads.data(), 30, spann::kNoExclusion, {}}};
    searched.searcher.survey(survey, 100000, searched.scratch);
    std::map<std::uint32_t, std::vector<float>> copies;
    for (const spann::Seen& seen : survey[0].seen) copies[seen.slot].push_back(seen.distance);
    spann::Found best{std::numeric_limits<float>::infinity(), 0};
    for (const auto& [slot, distances] : copies) {
      float sum = 0.0F;
      for (const float distance : distances) sum += distance;
      best = std::min(best, spann::Found{sum / static_cast<float>(distances.size()), slot});
    }
    spann::SearchRequest request{query_of(made, q), heads.data(), 30, 1, 1};
    request.copies = 1000;  // all that there are
    spann::Found found{};
    const auto distances = [](const std::uint32_t* slots, std::size_t n, float* out) { std::copy_n(slots, n, out); };
    CHECK_EQUAL(searched.searcher.search(request, distances, searched.scratch, &found), 1u);
    CHECK_EQUAL(found.slot, best.slot);
    differ += best.slot != survey[0].seen[0].slot;
  }
  CHECK(differ > 0);
}
