#include "spann/update/places.h"

#include <algorithm>

#include "core/checked.h"
#include "spann/lists/format.h"

namespace hopspan::spann {
namespace {

// Calls visit(list, slot, whether it is a replica) for every entry.
template <typename Visit>
void for_entries(const Lists& lists, const distance::ScanShape& shape, Visit visit) {
  for (std::uint32_t l = 0; l < lists.lists.size(); ++l) {
    const ListView view(lists.lists[l].data(), lists.lists[l].size(), shape);
    for (std::size_t i = 0; i < view.entries(); ++i) {
      visit(l, slot_of(view.entry(i)), (view.entry(i) & kReplica) != 0);
    }
  }
}

}  // namespace

Places::Places(const Lists& lists, const distance::ScanShape& shape, std::size_t slots, std::size_t most)
    : firsts(lists.lists.size(), 0), most_(most) {
  std::vector<std::uint32_t> copies(slots, 0);
  for_entries(lists, shape, [&](std::uint32_t, std::uint32_t slot, bool) { ++copies[slot]; });
  if (slots != 0) most_ = std::max<std::size_t>(most_, *std::max_element(copies.begin(), copies.end()));
  lists_.assign(core::checked_mul(slots, most_), kNowhere);
  copies.assign(slots, 0);
  for_entries(lists, shape, [&](std::uint32_t list, std::uint32_t slot, bool replica) {
    lists_[slot * most_ + (replica ? ++copies[slot] : 0)] = list;
    if (!replica) ++firsts[list];
  });
}

void Places::put(std::uint32_t slot, const std::uint32_t* lists, std::size_t count) noexcept {
  std::uint32_t* const to = &lists_[slot * most_];
  std::fill(std::copy_n(lists, count, to), to + most_, kNowhere);
  std::sort(to + 1, to + most_);
}

void Places::replace(std::uint32_t slot, std::uint32_t list, std::uint32_t by) noexcept {
  std::uint32_t* const lists = &lists_[slot * most_];
  std::replace(lists, lists + most_, list, by);
  std::sort(lists + 1, lists + most_);
}

}  // namespace hopspan::spann
