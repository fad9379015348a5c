// Files of lists and rows for the tests of their pages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "spann/pages/writer.h"
#include "storage/container_bytes.h"

namespace hopspan::test {

inline constexpr std::uint64_t kPagedFileId = 77;

struct Paged {
  std::vector<Bytes> lists;
  std::vector<Bytes> rows;
};

// Lists of 0 to 5 pages, some of whole pages, and rows of `row_bytes`.
inline Paged make_paged(std::size_t lists, std::size_t rows, std::size_t row_bytes) {
  Paged paged;
  for (std::size_t i = 0; i < lists; ++i) {
    std::size_t size = core::random_u64(1, i) % (5 * spann::pages::kPageBytes);
    if (i % 7 == 3) size = i % 3 * spann::pages::kPageBytes;
    paged.lists.push_back(random_bytes(size, 1000 + i));
  }
  for (std::size_t i = 0; i < rows; ++i) paged.rows.push_back(random_bytes(row_bytes, 5000 + i));
  return paged;
}

inline void write_paged(const Paged& paged, storage::WritableFile& file, std::uint64_t file_id = kPagedFileId) {
  storage::ContainerWriter writer(file, file_id);
  spann::pages::ListWriter lists(writer, file_id);
  for (const Bytes& list : paged.lists) lists.append(list.data(), list.size());
  lists.finish();
  if (!paged.rows.empty()) {
    spann::pages::RowWriter rows(writer, file_id, paged.rows[0].size());
    for (const Bytes& row : paged.rows) rows.append(row.data());
    rows.finish();
  }
  writer.finish();
}

inline Bytes paged_bytes(const Paged& paged, std::uint64_t file_id = kPagedFileId) {
  Bytes bytes;
  storage::MemoryWriter file(bytes);
  write_paged(paged, file, file_id);
  return bytes;
}

}  // namespace hopspan::test
