// A list that takes codes over is the list that encoding all of them would make.
// Planted bugs that turn these tests red, each tried on its own: copy_codes that takes a code from the wrong half of
// its byte, keeps_block that does not look at where entries come from, rewrite_list without the padding's kNoSlot.
#include <algorithm>
#include <numeric>
#include <vector>

#include "spann/gaussians.h"
#include "spann/lists/product_coder.h"
#include "spann/update/rewrite.h"
#include "test.h"

using namespace hopspan;
using spann::kNotCoded;
using spann::kReplica;
using spann::ListArray;
using spann::MatrixFloats;
using spann::Member;

namespace {

constexpr std::size_t kCount = 400, kDim = 10;

bool same(const ListArray& a, const ListArray& b) {
  return a.size() == b.size() && std::equal(a.data(), a.data() + a.size(), b.data());
}

struct Coded {
  explicit Coded(Metric metric)
      : rows(test::gaussians(kCount, kDim, 3)),
        vectors(rows),
        book(spann::Codebook::train(reinterpret_cast<const float*>(rows.data()), kCount, kDim, 1, {})),
        coder(book, metric) {}

  ListArray encode(const std::vector<std::uint32_t>& entries) const {
    return spann::encode_list(vectors, coder, head.data(), entries);
  }

  vectors::Matrix rows;
  MatrixFloats vectors;
  spann::Codebook book;
  spann::ProductCoder coder;
  std::vector<float> head = std::vector<float>(kDim, 0.5F);
};

}  // namespace

TEST(rewrite_takes_codes_over) {
  for (const Metric metric : {Metric::kL2, Metric::kIp}) {
    const Coded coded(metric);
    for (const std::size_t count : {1, 31, 64, 77, 150}) {
      std::vector<std::uint32_t> entries(count);
      std::iota(entries.begin(), entries.end(), 100U);
      const ListArray before = coded.encode(entries);
      std::vector<Member> members;
      for (std::uint32_t i = 0; i < count; ++i) members.push_back({entries[i], i});
      const auto check = [&] {
        std::vector<std::uint32_t> now;
        for (const Member& member : members) now.push_back(member.entry);
        CHECK(same(spann::rewrite_list(before, members, coded.vectors, coded.coder, coded.head.data()),
                   coded.encode(now)));
      };
      check();
      members.push_back({7, kNotCoded});
      check();
      members[0] = members.back();
      members.pop_back();
      check();
      members[count / 2].entry |= kReplica;
      for (std::uint32_t i = 0; i < 40; ++i) members.push_back({(200 + i) | kReplica, kNotCoded});
      check();
      std::reverse(members.begin(), members.end());
      check();
      members.resize(members.size() / 3);
      check();
    }
  }
}

TEST(rewrite_renumbers_entries) {
  const Coded coded(Metric::kL2);
  ListArray list = coded.encode({3, 5 | kReplica, 8});
  std::vector<std::uint32_t> numbers(kCount);
  for (std::uint32_t i = 0; i < kCount; ++i) numbers[i] = i + 10;
  spann::renumber(numbers, coded.coder.shape(), list);
  const spann::ListView view(list.data(), list.size(), coded.coder.shape());
  CHECK_EQUAL(view.entry(0), 13U);
  CHECK_EQUAL(view.entry(1), 15U | kReplica);
  CHECK_EQUAL(view.entry(2), 18U);
}
