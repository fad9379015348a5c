#include <algorithm>
#include <vector>

#include "spann/assign/copies.h"
#include "spann/clustering/heads.h"
#include "spann/gaussians.h"
#include "spann/lists/format.h"
#include "test.h"

using hopspan::spann::Copies;
using hopspan::spann::MatrixFloats;
using hopspan::spann::ReplicaOptions;
using hopspan::spann::ReplicaRule;
using hopspan::test::gaussians;

namespace {

constexpr std::size_t kCount = 4000, kDim = 12, kCapacity = 200;

struct Made {
  explicit Made(const ReplicaOptions& options, std::size_t threads = 2) : rows(gaussians(kCount, kDim, 1)) {
    hopspan::spann::HeadOptions how;
    how.heads = 40;
    heads = hopspan::spann::make_heads(MatrixFloats(rows), how, {});
    copies = hopspan::spann::assign_copies(MatrixFloats(rows), heads, options, kCapacity, threads, {});
  }
  hopspan::vectors::Matrix rows;
  std::vector<float> heads;
  Copies copies;
};

}  // namespace

TEST(copies_hold_every_vector_once_first_and_a_few_times_in_all) {
  for (const ReplicaRule rule : {ReplicaRule::kRng, ReplicaRule::kSoar}) {
    for (const std::size_t most : {1, 2, 4}) {
      ReplicaOptions options;
      options.rule = rule;
      options.most = most;
      const Made made(options);
      std::vector<std::size_t> first(kCount), all(kCount);
      for (const auto& list : made.copies) {
        CHECK(std::is_sorted(list.begin(), list.end(), [](std::uint32_t a, std::uint32_t b) {
          return hopspan::spann::slot_of(a) < hopspan::spann::slot_of(b);
        }));
        for (const std::uint32_t entry : list) {
          const std::uint32_t slot = hopspan::spann::slot_of(entry);
          first[slot] += entry == slot;
          ++all[slot];
        }
      }
      CHECK(std::all_of(first.begin(), first.end(), [](std::size_t n) { return n == 1; }));
      CHECK(*std::max_element(all.begin(), all.end()) <= most);
      CHECK(hopspan::spann::count_copies(made.copies) > (most == 1 ? kCount - 1 : kCount));
    }
  }
}

TEST(copies_do_not_depend_on_the_number_of_threads) { CHECK(Made({}, 1).copies == Made({}, 3).copies); }

TEST(copies_are_split_where_a_list_is_long) {
  Made made({});
  hopspan::spann::split_long_lists(MatrixFloats(made.rows), kCapacity, made.heads, made.copies);
  CHECK_EQUAL(made.heads.size(), made.copies.size() * kDim);
  for (const auto& list : made.copies) CHECK(list.size() <= kCapacity);
}
