#include "durable/writer.h"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <numeric>
#include <random>
#include <utility>

#include "durable/changes.h"
#include "durable/folder.h"
#include "durable/linker.h"
#include "durable/same_options.h"
#include "hopspan/error.h"
#include "index/meta.h"
#include "vectors/query.h"

namespace hopspan::durable {
namespace {

std::uint64_t random_number() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random();
}

std::filesystem::path parent_of(const std::filesystem::path& folder) {
  const std::filesystem::path plain = folder.has_filename() ? folder : folder.parent_path();
  return plain.has_parent_path() ? plain.parent_path() : std::filesystem::path(".");
}

}  // namespace

Writer::Writer(storage::Env& env, const std::filesystem::path& folder, const OpenOptions& options,
               std::chrono::milliseconds window)
    : Opened(folder, options.threads), env_(env), sync_(options.sync), compact_share_(options.compact_share) {
  if (!(compact_share_ > 0.0)) {
    throw InvalidArgument("compact_share must be above 0, not " + std::to_string(compact_share_));
  }
  lock_ = enter(options.create);
  if (env_.kind(manifest_path(folder_)) == storage::FileKind::kMissing) {
    if (!options.create) throw IoError(ENOENT, manifest_path(folder_).u8string(), "open");
    create(*options.create);
  }
  recover();
  if (options.create) check_same_options(this->options(), *options.create, folder_.u8string());
  compact_at_ = compact_limit();
  linker_ = link_on({}, store(), threads_);
  if (sync_ || window.count() == 0) return;
  flusher_ = Background::start(window, [this, window](const Progress&) {
    try {
      log()->flush();
    } catch (...) {  // the log has failed, and the next change says so
    }
    return window;
  });
}

Writer::~Writer() {
  try {
    close();
  } catch (...) {
  }
}

// Makes the folder where that is wanted, and locks it.
std::unique_ptr<storage::FileLock> Writer::enter(const std::optional<IndexOptions>& create) {
  if (create) index::check_options(*create);
  storage::FileKind kind = env_.kind(folder_);
  if (kind == storage::FileKind::kMissing && create) {
    try {
      env_.create_folder(folder_);
    } catch (const IoError& error) {
      if (error.code() != EEXIST) throw;
    }
    env_.sync_dir(parent_of(folder_));
    kind = env_.kind(folder_);
  }
  if (kind == storage::FileKind::kMissing) throw IoError(ENOENT, folder_.u8string(), "open");
  if (kind != storage::FileKind::kFolder) throw IoError(ENOTDIR, folder_.u8string(), "open");
  return lock_folder(env_, folder_);
}

void Writer::create(const IndexOptions& options) {
  check_vacant(env_, folder_);
  remove_leftovers(env_, folder_, Manifest());
  Manifest first;
  first.folder = random_number();
  first.generation = first.snapshot = first.log = 1;
  first.log_synced = storage::kLogHeaderBytes;
  storage::LogWriter log(env_, log_path(folder_, first.log), {first.folder, first.log}, first.first_sequence);
  log.sync();
  log.close();
  index::Store(options).save(env_, snapshot_path(folder_, first.snapshot));
  describe_snapshot(env_, folder_, first);
  write_manifest(env_, folder_, first);
}

void Writer::recover() {
  manifest_ = read_manifest(env_, folder_);
  std::shared_ptr<index::Store> store = open_snapshot(env_, folder_, manifest_, false);
  recovery_.generation = manifest_.generation;
  recovery_.snapshot_vectors = store->size();
  storage::LogReader reader = open_log(env_, folder_, manifest_);
  const std::string name = log_path(folder_, manifest_.log).u8string();
  Replay replay(*store, threads_, name);
  while (const std::optional<storage::LogRecord> record = reader.next()) {
    if (!replay.take(*record)) {
      throw CorruptIndexError(name + ": record " + std::to_string(record->sequence) + " voids no change");
    }
  }
  replay.finish();
  recovery_.records = replay.records();
  recovery_.vectors = replay.vectors();
  recovery_.dropped_bytes = reader.rest();
  last_number_ = std::max(manifest_.generation, last_number(env_, folder_));
  take_log(reader);
  recovery_.removed_files = remove_leftovers(env_, folder_, manifest_);
  set_store(std::move(store));
}

// A log that was closed in order goes on. Any other is copied to a new one: after a sync that failed, what it gives
// back when it is read need not be on the device. A kill may have left a manifest whose name is not durable either.
void Writer::take_log(const storage::LogReader& found) {
  if (found.rest() == 0 && found.offset() == manifest_.log_synced) {
    env_.sync_dir(folder_);
    log_ = std::make_shared<storage::GroupLog>(
        storage::LogWriter(env_, log_path(folder_, manifest_.log), {manifest_.folder, manifest_.log},
                           found.next_sequence(), found.offset()),
        found.offset());
    return;
  }
  Manifest next = manifest_;
  next.generation = next.log = ++last_number_;
  storage::LogWriter copy(env_, log_path(folder_, next.log), {next.folder, next.log}, next.first_sequence);
  storage::LogReader reader = open_log(env_, folder_, manifest_);
  while (reader.offset() < found.offset()) {
    const storage::LogRecord record = reader.next().value();
    copy.append(record.type, {{record.payload, record.size}}, 0);
  }
  copy.sync();
  env_.sync_dir(folder_);
  next.log_synced = copy.end();
  write_manifest(env_, folder_, next);
  manifest_ = next;
  log_ = std::make_shared<storage::GroupLog>(std::move(copy), next.log_synced);
}

void Writer::check_usable() const {
  if (lock_->is_mine()) return check_open();
  throw Error(folder_.u8string() + ": the index was opened for writing by a parent of this process; open it again, " +
              "with mode \"r\" while the parent has it");
}

std::vector<std::int64_t> Writer::add(const MatrixView& vectors, const std::int64_t* ids, const AddOptions& options) {
  check_usable();
  vectors::check_queries({this->options().dim, this->options().metric, this->options().dtype}, vectors);
  std::vector<std::int64_t> added(vectors.rows);
  if (ids != nullptr) std::copy_n(ids, added.size(), added.begin());
  const auto log_it = [&](storage::GroupLog& log) {
    if (ids == nullptr) std::iota(added.begin(), added.end(), static_cast<std::int64_t>(store()->next_id()));
    return log_add(log, vectors, added.data());
  };
  const auto change = [&] {
    vectors.rows < index::Store::kLinkedTogether ? store()->add_pending(vectors, added.data(), options)
                                                 : store()->add(vectors, added.data(), options);
  };
  log_and_change(added.empty(), log_it, change);
  link_when_due(options.threads);
  return added;
}

std::size_t Writer::remove(const std::int64_t* ids, std::size_t count, const AddOptions& options) {
  check_usable();
  std::size_t removed = 0;
  const auto log_it = [&](storage::GroupLog& log) { return log_remove(log, ids, count); };
  log_and_change(count == 0, log_it, [&] { removed = store()->remove(ids, count, options); });
  return removed;
}

// nothing: there is no change to make, if the log takes any at all.
void Writer::log_and_change(bool nothing, core::FunctionRef<std::uint64_t(storage::GroupLog&)> log_it,
                            core::FunctionRef<void()> change) {
  std::shared_ptr<storage::GroupLog> log;
  std::uint64_t sequence;
  {
    const std::lock_guard<std::mutex> lock(changing_);
    check_open();
    log = log_;
    log->check();
    if (nothing) return;
    sequence = log_it(*log);
    change_or_void(*log, sequence, change);
  }
  if (sync_) log->wait(sequence);
  compact_when_due();
}

// When the change fails, the log says so, durably before the caller learns of it.
void Writer::change_or_void(storage::GroupLog& log, std::uint64_t sequence, core::FunctionRef<void()> change) {
  try {
    change();
  } catch (...) {
    try {
      const std::uint64_t voided = log_void(log, sequence);
      if (sync_) log.wait(voided);
    } catch (const std::exception& error) {
      log.fail(error.what());
    }
    throw;
  }
}

// The change is made, so a failure is not the caller's: the next one tries again.
void Writer::link_when_due(std::size_t threads) noexcept {
  try {
    const std::shared_ptr<index::Store> linking = store();
    if (linking->pending() >= index::Store::kLinkedTogether) linking->link_some({threads, {}});
  } catch (...) {
  }
}

void Writer::flush() {
  check_usable();
  log()->flush();
}

bool Writer::refresh() {
  check_usable();
  return false;
}

void Writer::close() {
  if (!lock_->is_mine()) return;
  const std::lock_guard<std::mutex> lock(changing_);
  if (is_closed()) return;
  flusher_.reset();
  linker_.reset();
  std::exception_ptr error;
  try {
    log_->flush();
    if (log_->bytes() != manifest_.log_synced) {
      manifest_.generation = ++last_number_;
      manifest_.log_synced = log_->bytes();
      write_manifest(env_, folder_, manifest_);
    }
    log_->close();
  } catch (...) {
    error = std::current_exception();
  }
  set_store(nullptr);
  lock_->release();
  if (error) std::rethrow_exception(error);
}

}  // namespace hopspan::durable
