// Lists as a change will leave them. Those that it touches are read, changed entry by entry, and encoded in the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "hopspan/options.h"
#include "spann/build.h"
#include "spann/floats.h"
#include "spann/lists/coder.h"
#include "spann/update/places.h"
#include "spann/update/rewrite.h"

namespace hopspan::spann {

// What changes in lists.
struct Patch {
  std::size_t count = 0;               // of lists
  std::vector<float> heads;            // of all lists; empty when they are what they were
  std::vector<std::uint32_t> changed;  // the numbers of lists that are not what they were, ascending
  std::vector<ListArray> lists;        // theirs
  std::size_t moved = 0;               // how many heads came, went or moved
};

class Draft {
 public:
  // places: kept up to date; as they were when the draft is dropped without being kept.
  Draft(const Lists& lists, Places& places, const Floats& vectors, const Coder& coder, std::size_t threads);
  ~Draft();
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  std::size_t count() const noexcept { return open_.size(); }
  const float* heads() const noexcept { return moved_ ? heads_.data() : lists_.heads.data(); }
  const float* head(std::uint32_t list) const noexcept { return heads() + list * vectors_.dim(); }
  bool heads_moved() const noexcept { return moved_; }
  const Places& places() const noexcept { return places_; }
  // The entries of a list. Threads may ask at once.
  std::vector<std::uint32_t> entries(std::uint32_t list) const;
  // The slots of its first copies, or of its replicas. The same.
  std::vector<std::uint32_t> slots(std::uint32_t list, bool replicas) const;
  // Whether the change has touched it.
  bool is_open(std::uint32_t list) const noexcept { return open_[list] != nullptr; }

  // Takes all copies of a vector, which must have some, out of their lists.
  void take_out(std::uint32_t slot);
  // Puts copies of a vector that is nowhere into these lists, the first copy into the foremost.
  void put_in(std::uint32_t slot, const std::uint32_t* lists, std::size_t count);
  void drop_replica(std::uint32_t slot, std::uint32_t list);
  // Moves a vector's first copy to a list that holds no other.
  void move_first(std::uint32_t slot, std::uint32_t list);

  // Gives a list a new head.
  void set_head(std::uint32_t list, const float* head);
  // Appends a list that holds nothing.
  std::uint32_t append(const float* head);
  // Removes a list that holds nothing; the last one takes its number.
  void remove(std::uint32_t list);

  Patch finish(const Progress& progress);
  // Makes what has been done to places last.
  void keep() noexcept { kept_ = true; }

 private:
  struct Open {
    std::uint32_t source;  // list whose codes members refer to; kNowhere: none
    std::vector<Member> members;
  };

  std::vector<float>& own_heads();
  Open& open(std::uint32_t list);
  void remember(std::uint32_t slot);
  void erase(std::uint32_t slot, std::uint32_t list);

  const Lists& lists_;
  Places& places_;
  const Floats& vectors_;
  const Coder& coder_;
  std::size_t threads_;
  bool kept_ = false;
  bool moved_ = false;
  std::vector<float> heads_;                 // when they have moved
  std::vector<std::unique_ptr<Open>> open_;  // null: as it is
  std::vector<std::uint32_t> firsts_;        // as places had them
  std::size_t slots_;                        // the same
  std::vector<std::uint32_t> undo_;          // a slot and its lists, again and again
};

}  // namespace hopspan::spann
