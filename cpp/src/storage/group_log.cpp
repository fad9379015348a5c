#include "storage/group_log.h"

#include <exception>
#include <utility>

namespace hopspan::storage {

GroupLog::GroupLog(LogWriter writer, std::uint64_t synced)
    : writer_(std::move(writer)),
      bytes_(writer_.end()),
      next_sequence_(writer_.next_sequence()),
      synced_bytes_(synced),
      synced_sequence_(next_sequence_) {}

std::uint64_t GroupLog::append(std::uint8_t type, std::initializer_list<Piece> payload) {
  std::uint64_t synced;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    check_locked();
    synced = synced_bytes_;
  }
  std::uint64_t sequence;
  try {
    sequence = writer_.append(type, payload, synced);
  } catch (const std::exception& error) {
    try {
      writer_.cut_back();
    } catch (const IoError&) {
      fail(error.what());
    }
    throw;
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  bytes_ = writer_.end();
  next_sequence_ = writer_.next_sequence();
  return sequence;
}

void GroupLog::wait(std::uint64_t sequence) {
  std::unique_lock<std::mutex> lock(mutex_);
  while (synced_sequence_ <= sequence) {
    if (sync_error_) throw *sync_error_;
    check_locked();
    if (syncing_) {
      changed_.wait(lock);
    } else {
      sync_once(lock);
    }
  }
}

void GroupLog::flush() {
  const std::uint64_t next = next_sequence();
  check();
  if (next != 0) wait(next - 1);
}

// The mutex is free meanwhile, so that others can append.
void GroupLog::sync_once(std::unique_lock<std::mutex>& lock) {
  syncing_ = true;
  const std::uint64_t bytes = bytes_;
  const std::uint64_t sequence = next_sequence_;
  lock.unlock();
  std::exception_ptr error;
  std::optional<IoError> io_error;
  try {
    writer_.sync();
  } catch (const IoError& failed) {
    error = std::current_exception();
    io_error = failed;
  } catch (...) {
    error = std::current_exception();
  }
  lock.lock();
  syncing_ = false;
  changed_.notify_all();
  if (error) {
    sync_error_ = io_error;
    if (failure_.empty()) failure_ = io_error ? io_error->what() : "a sync was interrupted";
    std::rethrow_exception(error);
  }
  synced_bytes_ = bytes;
  synced_sequence_ = sequence;
  ++syncs_;
}

void GroupLog::fail(const std::string& why) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (failure_.empty()) failure_ = why;
  changed_.notify_all();
}

void GroupLog::check() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  check_locked();
}

void GroupLog::check_locked() const {
  if (failure_.empty()) return;
  throw Error(writer_.path().u8string() + ": no more changes are taken since writing failed (" + failure_ +
              "); open the index again");
}

bool GroupLog::failed() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return !failure_.empty();
}

std::uint64_t GroupLog::bytes() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return bytes_;
}

std::uint64_t GroupLog::syncs() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return syncs_;
}

std::uint64_t GroupLog::next_sequence() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return next_sequence_;
}

}  // namespace hopspan::storage
