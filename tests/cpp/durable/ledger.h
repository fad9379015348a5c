// Groups of vectors that a test adds, replaces and removes, and what must be found of them afterwards.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "durable/reader.h"
#include "durable/writer.h"
#include "index/results.h"
#include "test.h"

namespace hopspan::test {

inline constexpr const char* kFolder = "there/index";

inline OpenOptions appending(bool sync = true, Kind kind = Kind::kFlat) {
  OpenOptions options;
  options.mode = OpenMode::kAppend;
  options.sync = sync;
  options.threads = 1;
  options.create = options_for(kind, 3);
  return options;
}

inline std::unique_ptr<durable::Writer> open_writer(storage::Env& env, bool sync = true, Kind kind = Kind::kFlat) {
  return std::make_unique<durable::Writer>(env, kFolder, appending(sync, kind), std::chrono::milliseconds(0));
}

// A group has ten ids. Each call changes one: it adds vectors under the first of them, in place of those that are there
// and never fewer, or removes all. The vectors tell the call.
class Ledger {
 public:
  // The call whose vectors each group has; kGone without vectors.
  using State = std::vector<std::size_t>;
  static constexpr std::size_t kGone = SIZE_MAX;

  // Of a new group.
  void add(durable::Writer& writer) { add(writer, groups_++); }
  void replace(durable::Writer& writer, std::size_t group) { add(writer, group); }
  void remove(durable::Writer& writer, std::size_t group) {
    calls_.push_back({group, {}, {}, false});
    AddOptions options;
    options.threads = 1;
    const std::vector<std::int64_t> ids = ids_of(group, 10);
    writer.remove(ids.data(), ids.size(), options);
    returned();
  }
  // Two new groups, then one that is replaced, removed and added again; and so on.
  void change(durable::Writer& writer) {
    const std::size_t round = calls_.size() / 5, turn = calls_.size() % 5;
    if (turn < 2) return add(writer);
    if (turn == 3) return remove(writer, round);
    replace(writer, round);
  }
  // Everything that has returned is on the device.
  void flushed() { safe_ = calls_.size(); }
  void without_sync() { sync_ = false; }
  std::size_t size() const { return calls_.size(); }

  // Each group is as one call has left it, none earlier than the last safe one.
  State check(const durable::Opened& index) const {
    State state;
    std::size_t vectors = 0;
    for (std::size_t group = 0; group < groups_; ++group) {
      state.push_back(found(index, group));
      if (state.back() != kGone) vectors += calls_[state.back()].ids.size();
      CHECK(may_be(group, state.back()));
    }
    CHECK_EQUAL(index.size(), vectors);
    return state;
  }
  // The same, of all calls so far.
  void check_all(const durable::Opened& index) const { CHECK(check(index) == after(calls_.size())); }
  // The same, of the first so many calls.
  void check_prefix(const durable::Opened& index) const {
    const State state = check(index);
    bool any = false;
    for (std::size_t n = 0; n <= calls_.size(); ++n) any = any || state == after(n);
    CHECK(any);
  }
  // A state, and then the latest call.
  State then_latest(State state) const {
    state.resize(groups_, kGone);
    state[calls_.back().group] = calls_.back().ids.empty() ? kGone : calls_.size() - 1;
    return state;
  }

 private:
  struct Call {
    std::size_t group;
    std::vector<std::int64_t> ids;
    Vectors data;
    bool returned;
  };

  static std::vector<std::int64_t> ids_of(std::size_t group, std::size_t count) {
    std::vector<std::int64_t> ids;
    for (std::size_t i = 0; i < count; ++i) ids.push_back(static_cast<std::int64_t>(group * 10 + i));
    return ids;
  }

  void add(durable::Writer& writer, std::size_t group) {
    const std::size_t number = calls_.size();
    const std::size_t count = std::min<std::size_t>(10, 1 + group % 3 + number / 2);
    calls_.push_back({group, ids_of(group, count), make_vectors(DType::kFloat32, count, 3, number), false});
    AddOptions options;
    options.threads = 1;
    writer.add(calls_[number].data.view(), calls_[number].ids.data(), options);
    returned();
  }

  void returned() {
    calls_.back().returned = true;
    if (sync_) safe_ = calls_.size();
  }

  std::size_t found(const durable::Opened& index, std::size_t group) const {
    std::size_t count = 0;
    const std::vector<std::int64_t> ids = ids_of(group, 10);
    while (count < ids.size() && index.contains(ids[count])) ++count;
    for (std::size_t i = count; i < ids.size(); ++i) CHECK(!index.contains(ids[i]));
    if (count == 0) return kGone;
    std::vector<float> stored(count * 3);
    index.get(ids.data(), count, stored.data());
    const auto call = std::find_if(calls_.begin(), calls_.end(),
                                   [&](const Call& one) { return one.group == group && one.data.floats == stored; });
    CHECK(call != calls_.end());
    return static_cast<std::size_t>(call - calls_.begin());
  }

  // Whether the safe calls, and any of the others, can leave the group so.
  bool may_be(std::size_t group, std::size_t state) const {
    bool may = state == kGone;
    for (std::size_t n = 0; n < calls_.size(); ++n) {
      if (calls_[n].group != group) continue;
      const bool is = state == (calls_[n].ids.empty() ? kGone : n);
      may = is || (may && !(calls_[n].returned && n < safe_));
    }
    return may;
  }

  State after(std::size_t calls) const {
    State state(groups_, kGone);
    for (std::size_t n = 0; n < calls; ++n) state[calls_[n].group] = calls_[n].ids.empty() ? kGone : n;
    return state;
  }

  std::vector<Call> calls_;
  std::size_t groups_ = 0;
  std::size_t safe_ = 0;
  bool sync_ = true;
};

}  // namespace hopspan::test
