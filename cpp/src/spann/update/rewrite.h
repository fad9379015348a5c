// Lists of entries that were in a list before, whose codes are taken over, and of new ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "spann/build.h"
#include "spann/floats.h"
#include "spann/lists/coder.h"
#include "spann/lists/format.h"

namespace hopspan::spann {

inline constexpr std::uint32_t kNotCoded = 0xFFFFFFFFu;

// An entry of a list to be, and where it is in the list that there is; kNotCoded: nowhere.
struct Member {
  std::uint32_t entry;
  std::uint32_t from;
};

// before: a list with the same head; only asked for where a member comes from it. The shape has no rounded extras,
// whose scale depends on all entries.
ListArray rewrite_list(const ListArray& before, const std::vector<Member>& members, const Floats& vectors,
                       const Coder& coder, const float* head);

// Writes the numbers that slots have from now on into a list's entries.
void renumber(const std::vector<std::uint32_t>& numbers, const distance::ScanShape& shape, ListArray& list);

}  // namespace hopspan::spann
