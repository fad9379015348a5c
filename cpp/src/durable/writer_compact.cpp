// Snapshots, and what is said and checked of a folder that is being written.
#include <algorithm>
#include <utility>

#include "durable/folder.h"
#include "durable/writer.h"
#include "hopspan/error.h"
#include "storage/container.h"

namespace hopspan::durable {
namespace {

constexpr std::uint64_t kLeastLog = std::uint64_t{16} << 20;  // bytes that are not worth a snapshot

}  // namespace

std::uint64_t Writer::compact_limit() const {
  const double share = static_cast<double>(manifest_.snapshot_bytes) * compact_share_;
  return std::max(kLeastLog, static_cast<std::uint64_t>(std::min(share, 0x1p62)));
}

void Writer::compact() {
  check_usable();
  const std::lock_guard<std::mutex> lock(changing_);
  check_open();
  compact_locked();
}

// The change that brought the log over the limit is safe already, so a failure is not the caller's: it is kept for
// stats, and the next attempt waits until the log has doubled.
void Writer::compact_when_due() {
  if (log()->bytes() < compact_at_) return;
  const std::lock_guard<std::mutex> lock(changing_);
  if (is_closed() || log_->bytes() < compact_at_) return;
  try {
    compact_locked();
  } catch (const std::exception& error) {
    compaction_error_ = error.what();
    compact_at_ = 2 * log_->bytes();
  }
}

// Every file that the new manifest names, and its name, is durable before the manifest is.
void Writer::compact_locked() {
  log_->flush();
  Manifest next = manifest_;
  next.generation = next.snapshot = next.log = ++last_number_;
  next.first_sequence = log_->next_sequence();
  next.log_synced = storage::kLogHeaderBytes;
  std::shared_ptr<storage::GroupLog> log;
  try {
    storage::LogWriter writer(env_, log_path(folder_, next.log), {next.folder, next.log}, next.first_sequence);
    writer.sync();
    store()->save(env_, snapshot_path(folder_, next.snapshot));
    describe_snapshot(env_, folder_, next);
    log = std::make_shared<storage::GroupLog>(std::move(writer), next.log_synced);
    commit(next);
  } catch (const std::exception&) {
    if (!log_->failed()) remove_leftovers(env_, folder_, manifest_);
    throw;
  }
  manifest_ = next;
  past_syncs_ += log_->syncs();
  std::atomic_store(&log_, std::move(log));
  compaction_error_.clear();
  compact_at_ = compact_limit();
  remove_leftovers(env_, folder_, manifest_);
}

// When it fails, the manifest is the old one, or nobody can tell which one a power cut would leave: then the old log
// must not go on, as its next records might be of no account.
void Writer::commit(const Manifest& next) {
  try {
    write_manifest(env_, folder_, next);
  } catch (const std::exception& error) {
    if (!manifest_is_still_there()) log_->fail(error.what());
    throw;
  }
}

bool Writer::manifest_is_still_there() const noexcept {
  try {
    return read_manifest(env_, folder_).generation == manifest_.generation;
  } catch (...) {
    return false;
  }
}

Stats Writer::stats() const {
  Stats stats = store()->stats();
  const std::lock_guard<std::mutex> lock(changing_);
  stats.log = LogStats{manifest_.generation, manifest_.snapshot_bytes, log_->bytes(), past_syncs_ + log_->syncs(),
                       compaction_error_};
  return stats;
}

CheckReport Writer::check(bool deep) const {
  const CheckReport report = store()->check(deep);
  const std::lock_guard<std::mutex> lock(changing_);
  check_open();
  const Manifest found = read_manifest(env_, folder_);
  if (found.generation != manifest_.generation || found.folder != manifest_.folder) {
    throw CorruptIndexError(manifest_path(folder_).u8string() + ": it is not the one that was written last");
  }
  storage::ContainerReader(env_.open(snapshot_path(folder_, found.snapshot), false)).verify();
  storage::LogReader log = open_log(env_, folder_, found);
  while (log.next()) {
  }
  if (log.offset() != log_->bytes()) {
    throw CorruptIndexError(log_path(folder_, found.log).u8string() + ": its records end at " +
                            std::to_string(log.offset()) + ", not at " + std::to_string(log_->bytes()));
  }
  return report;
}

}  // namespace hopspan::durable
