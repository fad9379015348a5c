// A log that many threads write, whose records share syncs: whoever comes while a sync runs is part of the next one.
// After a failed sync the file is not trusted any more, and nothing is appended to it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <optional>
#include <string>

#include "hopspan/error.h"
#include "storage/log.h"

namespace hopspan::storage {

class GroupLog {
 public:
  // synced: how much of the log is on the device.
  GroupLog(LogWriter writer, std::uint64_t synced);

  // One caller at a time. When the system refuses, the log is as it was; when that cannot be had either, it has failed.
  std::uint64_t append(std::uint8_t type, std::initializer_list<Piece> payload);
  // Returns once the record, and so all before it, is on the device.
  void wait(std::uint64_t sequence);
  // The same for all records.
  void flush();
  void close() { writer_.close(); }

  // Nothing more is to be written; `why` ends the message of every later attempt.
  void fail(const std::string& why);
  // Throws when the log has failed.
  void check() const;
  bool failed() const;

  std::uint64_t bytes() const;
  std::uint64_t next_sequence() const;
  std::uint64_t syncs() const;  // that have been made

 private:
  void sync_once(std::unique_lock<std::mutex>& lock);
  void check_locked() const;

  LogWriter writer_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t bytes_;
  std::uint64_t next_sequence_;
  std::uint64_t synced_bytes_;
  std::uint64_t synced_sequence_;  // records below are on the device
  std::uint64_t syncs_ = 0;
  bool syncing_ = false;
  std::optional<IoError> sync_error_;
  std::string failure_;
};

}  // namespace hopspan::storage
