// An index that lives in a folder: a snapshot, and a log of the changes since, so that what a call has changed is kept
// whatever happens after it has returned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>

#include "hopspan/export.h"
#include "hopspan/index.h"
#include "hopspan/options.h"

namespace hopspan {

enum class OpenMode : std::uint8_t {
  kRead = 0,    // any number at a time, beside a writer
  kAppend = 1,  // one of all processes
};

struct OpenOptions {
  OpenMode mode = OpenMode::kRead;
  // A call that changes the index returns once the change is on the device. Without it, a kill of the process loses
  // nothing all the same; a power cut loses at most the changes of the last second.
  bool sync = true;
  // A new snapshot is written when the log holds more than this share of the bytes of the snapshot.
  double compact_share = 0.25;
  std::size_t threads = 0;  // for making the changes of the log again
  // Made when there is nothing yet (kAppend). For an index that is there they must be the same as its own.
  std::optional<IndexOptions> create;
};

// What opening found.
struct Recovery {
  std::uint64_t generation = 0;  // of the manifest
  std::size_t snapshot_vectors = 0;
  std::uint64_t records = 0;        // of the log, made again
  std::uint64_t vectors = 0;        // added by them
  std::uint64_t dropped_bytes = 0;  // at the end of the log: calls that never returned
  std::size_t removed_files = 0;    // that a crash had left over
};

// Of kind kHnsw, kFlat or kSpann in memory.
class HOPSPAN_API DurableIndex : public Index {
 public:
  // Throws IoError with ENOENT when there is nothing and nothing to create, LockedError while somebody else writes.
  static DurableIndex open(const std::filesystem::path& path, const OpenOptions& options = {});
  // Those of the index in a folder, or nothing when there is none.
  static std::optional<IndexOptions> options_at(const std::filesystem::path& path);

  // Returns once all changes are on the device.
  void flush();
  // Writes a new snapshot and starts an empty log. Searches go on meanwhile, changes wait.
  void compact();
  // Mode kRead: takes over what has been written since; false when there was nothing.
  bool refresh();
  // Flushes and gives the folder free. Every later call but this one throws InvalidArgument. Destruction does the same,
  // but swallows errors.
  void close();
  Recovery recovery() const;

 private:
  using Index::Index;
};

}  // namespace hopspan
