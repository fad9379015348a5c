#include "durable/reader.h"

#include <cerrno>
#include <string>

#include "durable/changes.h"
#include "durable/folder.h"
#include "durable/linker.h"
#include "durable/same_options.h"
#include "hopspan/error.h"

namespace hopspan::durable {
namespace {

constexpr int kAttempts = 5;

}  // namespace

Reader::Reader(storage::Env& env, const std::filesystem::path& folder, std::size_t threads)
    : Opened(folder, threads), env_(env) {
  load_latest();
}

std::vector<std::int64_t> Reader::add(const MatrixView&, const std::int64_t*, const AddOptions&) { refuse(); }

std::size_t Reader::remove(const std::int64_t*, std::size_t, const AddOptions&) { refuse(); }

// A child that was forked while its parent linked has a store that is half changed, so it reads the folder again.
void Reader::check_usable() const {
  check_open();
  const std::shared_ptr<Background> linker = std::atomic_load(&linker_);
  if (!linker || !linker->was_cut()) return;
  const std::lock_guard<std::mutex> lock(refreshing_);
  if (linker_ == linker) const_cast<Reader*>(this)->load_latest();
}

void Reader::refuse() const {
  check_open();
  throw InvalidArgument(folder_.u8string() + ": the index is open for reading; mode \"a\" changes it");
}

// A writer may take the files away between the look at the manifest and theirs; then there is a new manifest. And it
// may cut back a record that the disk had no room for while it is read.
void Reader::load_latest() {
  for (int attempt = 1;; ++attempt) {
    try {
      return load();
    } catch (const IoError& error) {
      const bool again = error.code() == ENOENT && env_.kind(manifest_path(folder_)) == storage::FileKind::kRegular;
      if (!again || attempt == kAttempts) throw;
    } catch (const CorruptIndexError&) {
      if (attempt == kAttempts) throw;
    }
  }
}

void Reader::load() {
  const Manifest manifest = read_manifest(env_, folder_);
  std::shared_ptr<index::Store> store = open_snapshot(env_, folder_, manifest, true);
  if (!is_closed()) check_same_options(options(), store->options(), folder_.u8string());
  Recovery found;
  found.generation = manifest.generation;
  found.snapshot_vectors = store->size();
  storage::LogReader log = open_log(env_, folder_, manifest);
  if (!replay(log, *store, found))
    throw CorruptIndexError(log_path(folder_, manifest.log).u8string() + ": it voids no change");
  recovery_ = found;
  go_on_from(manifest, log);
  std::atomic_store(&linker_, link_on({}, store, threads_));
  set_store(std::move(store));
}

bool Reader::replay(storage::LogReader& log, index::Store& store, Recovery& found) const {
  Replay changes(store, threads_, folder_.u8string());
  while (const std::optional<storage::LogRecord> record = log.next()) {
    if (!changes.take(*record)) return false;
  }
  changes.finish();
  found.records += changes.records();
  found.vectors += changes.vectors();
  found.dropped_bytes = log.rest();
  return true;
}

void Reader::go_on_from(const Manifest& manifest, const storage::LogReader& log) {
  manifest_ = manifest;
  offset_ = log.offset();
  next_sequence_ = log.next_sequence();
}

bool Reader::refresh() {
  check_usable();
  const std::lock_guard<std::mutex> lock(refreshing_);
  const std::shared_ptr<index::Store> current = store();
  const Manifest manifest = read_manifest(env_, folder_);
  const std::uint64_t before = offset_;
  if (manifest.folder == manifest_.folder && manifest.log == manifest_.log) {
    if (follow(manifest, current)) return offset_ != before;
  }
  load_latest();
  return true;
}

// False when there is no going on: the log is gone, or a change was taken over that failed in the end.
bool Reader::follow(const Manifest& manifest, const std::shared_ptr<index::Store>& current) {
  try {
    storage::LogReader log = open_log(env_, folder_, manifest);
    log.resume(offset_, next_sequence_);
    if (!replay(log, *current, recovery_)) return false;
    go_on_from(manifest, log);
    std::atomic_store(&linker_, link_on(linker_, current, threads_));
    return true;
  } catch (const IoError&) {
    return false;
  } catch (const CorruptIndexError&) {
    return false;
  }
}

void Reader::close() {
  const std::lock_guard<std::mutex> lock(refreshing_);
  std::atomic_store(&linker_, {});
  set_store(nullptr);
}

Recovery Reader::recovery() const {
  const std::lock_guard<std::mutex> lock(refreshing_);
  return recovery_;
}

Stats Reader::stats() const {
  Stats stats = store()->stats();
  const std::lock_guard<std::mutex> lock(refreshing_);
  stats.log = LogStats{manifest_.generation, manifest_.snapshot_bytes, offset_, 0, ""};
  return stats;
}

}  // namespace hopspan::durable
