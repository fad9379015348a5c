// What a log record says, and how records become the state that they led to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "hopspan/matrix_view.h"
#include "index/store.h"
#include "storage/group_log.h"

namespace hopspan::durable {

// Values are part of the format.
enum class Change : std::uint8_t {
  kAdd = 1,     // u8 dtype, 7 zero bytes, u64 rows, i64 ids, the rows as they were given; replaces what is there
  kRemove = 2,  // u64 ids, i64 ids, known or not
  kVoid = 3,    // u64 the number of the record before it, whose change then failed
};

// Returns the record's number.
std::uint64_t log_add(storage::GroupLog& log, const MatrixView& vectors, const std::int64_t* ids);
std::uint64_t log_remove(storage::GroupLog& log, const std::int64_t* ids, std::size_t count);
std::uint64_t log_void(storage::GroupLog& log, std::uint64_t sequence);

// Makes the changes of records, in order. Removals that follow each other become one, and so do adds of different ids,
// as far as it holds a bounded number of bytes: the ids and vectors are those that the records say, and the same
// records always give the same index.
class Replay {
 public:
  // threads: for insertion, 0 all. name: the log's, for messages.
  Replay(index::Store& store, std::size_t threads, std::string name)
      : store_(store), threads_(threads), name_(std::move(name)) {}

  // Throws CorruptIndexError for a record that does not fit the index. False when it voids a change that finish() has
  // made already.
  [[nodiscard]] bool take(const storage::LogRecord& record);
  // Makes what is held back.
  void finish();

  std::uint64_t records() const noexcept { return records_; }
  std::uint64_t vectors() const noexcept { return vectors_; }

 private:
  struct Batch {
    Change change;
    std::uint64_t sequence;  // of its last record
    DType dtype;
    std::vector<std::int64_t> ids;
    std::vector<std::byte> rows;
  };

  Batch read_add(const storage::LogRecord& record) const;
  Batch read_remove(const storage::LogRecord& record) const;
  bool take_void(const storage::LogRecord& record);
  void settle();
  bool joins_held(const Batch& batch) const;
  void make_held();
  std::string name_of(const storage::LogRecord& record) const;
  [[noreturn]] void corrupt(std::uint64_t sequence, const std::string& what) const;

  index::Store& store_;
  const std::size_t threads_;
  const std::string name_;
  std::optional<Batch> latest_;  // record, which the next one may void
  std::optional<Batch> held_;    // of the records before it
  std::unordered_set<std::int64_t> held_ids_;
  std::uint64_t records_ = 0;
  std::uint64_t vectors_ = 0;
};

}  // namespace hopspan::durable
