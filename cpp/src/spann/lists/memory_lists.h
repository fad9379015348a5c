// Lists that are in memory, each a run of bytes of its own, owned or a view of a mapped file.
#pragma once

#include <cstddef>
#include <vector>

#include "core/array.h"
#include "spann/list_source.h"

namespace hopspan::spann {

class MemoryLists : public ListSource {
 public:
  explicit MemoryLists(const std::vector<core::Array<std::byte>>& lists) : lists_(lists) {}

  std::size_t size() const override { return lists_.size(); }

  void fetch(const std::uint32_t* numbers, std::size_t count, Arrived arrived, FetchCost& cost) const override {
    for (std::size_t i = 0; i < count; ++i) {
      const core::Array<std::byte>& list = lists_[numbers[i]];
      cost.bytes += list.size();
      arrived(i, list.data(), list.size());
    }
    cost.fetched += count;
  }

 private:
  const std::vector<core::Array<std::byte>>& lists_;
};

}  // namespace hopspan::spann
