// The META section: what an index is and how much it holds, enough to check all other sections' sizes against.
#pragma once

#include <cstdint>
#include <vector>

#include "hopspan/options.h"
#include "storage/byte_reader.h"
#include "storage/container.h"

namespace hopspan::index {

struct Meta {
  IndexOptions options;
  std::uint64_t size = 0;     // rows
  std::uint64_t next_id = 0;  // above every id that there has ever been
  bool explicit_ids = false;  // ids are listed in a section, not 0 .. size - 1
  std::uint64_t removed = 0;  // rows without an id
  bool bytes = false;         // vectors::RowFormat::bytes
};

// Throws InvalidArgument or InvalidType, naming the value and the limit, unless an index can be made of the options.
void check_options(const IndexOptions& options);

void write_meta(const Meta& meta, storage::ByteWriter& writer);
// Throws CorruptIndexError unless the bytes are those of a possible index.
Meta read_meta(storage::ByteReader& reader);
Meta load_meta(const storage::ContainerReader& reader);

}  // namespace hopspan::index
