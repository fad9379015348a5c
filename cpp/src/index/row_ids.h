// The ids of an index on disk: the numbers of the vectors in their source, by slot. Four bytes each, and four more once
// an id has been looked up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "core/array.h"
#include "storage/container.h"

namespace hopspan::index {

// Safe to use from any number of threads.
class RowIds {
 public:
  // Reads section "IDS ". Throws CorruptIndexError unless it has `size` ids below `size`.
  RowIds(const storage::ContainerReader& reader, std::size_t size);

  std::int64_t id(std::uint32_t slot) const noexcept { return ids_[slot]; }
  std::optional<std::uint32_t> find(std::int64_t id) const;

  // Throws CorruptIndexError unless the ids are distinct.
  void check() const;
  std::size_t bytes() const;

 private:
  core::Array<std::uint32_t> ids_;
  mutable std::vector<std::uint32_t> slots_;  // by id, once one has been looked up
  mutable std::mutex mutex_;
};

}  // namespace hopspan::index
