#include "spann/update/draft.h"

#include <algorithm>

#include "core/threads.h"
#include "spann/lists/format.h"

namespace hopspan::spann {

Draft::Draft(const Lists& lists, Places& places, const Floats& vectors, const Coder& coder, std::size_t threads)
    : lists_(lists),
      places_(places),
      vectors_(vectors),
      coder_(coder),
      threads_(threads),
      open_(lists.lists.size()),
      firsts_(places.firsts),
      slots_(places.slots()) {
  places_.resize(std::max(slots_, vectors.size()));
}

Draft::~Draft() {
  if (kept_) return;
  const std::size_t step = places_.most() + 1;
  for (std::size_t at = undo_.size(); at != 0; at -= step) {
    places_.put(undo_[at - step], &undo_[at - step + 1], step - 1);
  }
  places_.firsts.swap(firsts_);
  places_.resize(slots_);
}

std::vector<std::uint32_t> Draft::entries(std::uint32_t list) const {
  std::vector<std::uint32_t> entries;
  if (is_open(list)) {
    for (const Member& member : open_[list]->members) entries.push_back(member.entry);
    return entries;
  }
  const ListView view(lists_.lists[list].data(), lists_.lists[list].size(), coder_.shape());
  for (std::size_t i = 0; i < view.entries(); ++i) entries.push_back(view.entry(i));
  return entries;
}

std::vector<std::uint32_t> Draft::slots(std::uint32_t list, bool replicas) const {
  std::vector<std::uint32_t> slots;
  for (const std::uint32_t entry : entries(list)) {
    if (((entry & kReplica) != 0) == replicas) slots.push_back(slot_of(entry));
  }
  return slots;
}

Draft::Open& Draft::open(std::uint32_t list) {
  if (!is_open(list)) {
    auto opened = std::make_unique<Open>();
    opened->source = list;
    for (const std::uint32_t entry : entries(list)) {
      opened->members.push_back({entry, static_cast<std::uint32_t>(opened->members.size())});
    }
    open_[list] = std::move(opened);
  }
  return *open_[list];
}

// Before its lists change.
void Draft::remember(std::uint32_t slot) {
  undo_.reserve(undo_.size() + places_.most() + 1);
  undo_.push_back(slot);
  undo_.insert(undo_.end(), places_.of(slot), places_.of(slot) + places_.most());
}

void Draft::erase(std::uint32_t slot, std::uint32_t list) {
  std::vector<Member>& members = open(list).members;
  const auto at =
      std::find_if(members.begin(), members.end(), [=](const Member& member) { return slot_of(member.entry) == slot; });
  *at = members.back();
  members.pop_back();
}

void Draft::take_out(std::uint32_t slot) {
  remember(slot);
  const std::uint32_t* const lists = places_.of(slot);
  for (std::size_t i = 0; i < places_.most() && lists[i] != kNowhere; ++i) erase(slot, lists[i]);
  --places_.firsts[lists[0]];
  places_.put(slot, nullptr, 0);
}

void Draft::put_in(std::uint32_t slot, const std::uint32_t* lists, std::size_t count) {
  remember(slot);
  for (std::size_t i = 0; i < count; ++i) {
    open(lists[i]).members.push_back({i == 0 ? slot : slot | kReplica, kNotCoded});
  }
  places_.put(slot, lists, count);
  ++places_.firsts[lists[0]];
}

void Draft::drop_replica(std::uint32_t slot, std::uint32_t list) {
  remember(slot);
  erase(slot, list);
  places_.replace(slot, list, kNowhere);
}

void Draft::move_first(std::uint32_t slot, std::uint32_t list) {
  remember(slot);
  const std::uint32_t first = *places_.of(slot);
  erase(slot, first);
  --places_.firsts[first];
  places_.replace(slot, first, list);
  ++places_.firsts[list];
  open(list).members.push_back({slot, kNotCoded});
}

std::vector<float>& Draft::own_heads() {
  if (!moved_) heads_ = lists_.heads;
  moved_ = true;
  return heads_;
}

void Draft::set_head(std::uint32_t list, const float* head) {
  std::copy_n(head, vectors_.dim(), &own_heads()[list * vectors_.dim()]);
  open(list).source = kNowhere;
  for (Member& member : open(list).members) member.from = kNotCoded;
}

std::uint32_t Draft::append(const float* head) {
  own_heads().insert(heads_.end(), head, head + vectors_.dim());
  places_.firsts.push_back(0);
  open_.push_back(std::make_unique<Open>(Open{kNowhere, {}}));
  return static_cast<std::uint32_t>(open_.size() - 1);
}

void Draft::remove(std::uint32_t list) {
  const std::uint32_t last = static_cast<std::uint32_t>(open_.size() - 1);
  const std::size_t dim = vectors_.dim();
  std::vector<float>& heads = own_heads();
  if (list != last) {
    for (const Member& member : open(last).members) {
      const std::uint32_t slot = slot_of(member.entry);
      remember(slot);
      places_.replace(slot, last, list);
    }
    std::copy_n(&heads[last * dim], dim, &heads[list * dim]);
    places_.firsts[list] = places_.firsts[last];
    open_[list] = std::move(open_[last]);
  }
  heads.resize(last * dim);
  places_.firsts.pop_back();
  open_.pop_back();
}

Patch Draft::finish(const Progress& progress) {
  Patch patch;
  patch.count = count();
  for (std::uint32_t l = 0; l < count(); ++l) {
    if (is_open(l)) patch.changed.push_back(l);
  }
  patch.lists.resize(patch.changed.size());
  core::parallel_for(patch.changed.size(), 4, threads_, progress, [&](std::size_t begin, std::size_t end, std::size_t) {
    const ListArray none;
    for (std::size_t i = begin; i < end; ++i) {
      const Open& list = *open_[patch.changed[i]];
      const ListArray& before = list.source == kNowhere ? none : lists_.lists[list.source];
      patch.lists[i] = rewrite_list(before, list.members, vectors_, coder_, head(patch.changed[i]));
    }
  });
  patch.heads = std::move(heads_);
  return patch;
}

}  // namespace hopspan::spann
