#include "durable/folder.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "hopspan/error.h"
#include "storage/container.h"

namespace hopspan::durable {
namespace {

constexpr std::string_view kSnapshot = "snapshot-";
constexpr std::string_view kSnapshotEnd = ".hopspan";
constexpr std::string_view kLog = "log-";
constexpr std::string_view kTemporary = ".tmp";
constexpr std::size_t kDigits = 10;

std::string numbered(std::string_view prefix, std::uint64_t number, std::string_view suffix) {
  const std::string digits = std::to_string(number);
  const std::size_t zeros = digits.size() < kDigits ? kDigits - digits.size() : 0;
  return std::string(prefix) + std::string(zeros, '0') + digits + std::string(suffix);
}

// The number in such a name.
std::optional<std::uint64_t> number_in(std::string_view name, std::string_view prefix, std::string_view suffix) {
  if (name.size() <= prefix.size() + suffix.size() || name.size() > prefix.size() + suffix.size() + 19) return {};
  if (name.substr(0, prefix.size()) != prefix || name.substr(name.size() - suffix.size()) != suffix) return {};
  std::uint64_t number = 0;
  for (const char c : name.substr(prefix.size(), name.size() - prefix.size() - suffix.size())) {
    if (c < '0' || c > '9') return {};
    number = number * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return number;
}

// "manifest" or the name of a snapshot with ".tmp" and a number behind it, as atomic_save makes them.
bool is_temporary(std::string_view name) {
  const std::size_t at = name.rfind(kTemporary);
  if (at == std::string_view::npos || !number_in(name.substr(at), kTemporary, "")) return false;
  return name.substr(0, at) == "manifest" || number_in(name.substr(0, at), kSnapshot, kSnapshotEnd);
}

std::optional<std::uint64_t> number_of(std::string_view name) {
  if (const auto number = number_in(name, kSnapshot, kSnapshotEnd)) return number;
  return number_in(name, kLog, "");
}

std::string holder_in(storage::Env& env, const std::filesystem::path& lock) {
  try {
    const auto file = env.open(lock, false);
    std::string text(static_cast<std::size_t>(std::min<std::uint64_t>(file->size(), 40)), '\0');
    file->read(0, text.data(), text.size());
    text = text.substr(0, text.find('\n'));
    if (text.rfind("process ", 0) == 0) return text;
  } catch (const Error&) {
  }
  return "another process";
}

}  // namespace

std::filesystem::path snapshot_path(const std::filesystem::path& folder, std::uint64_t number) {
  return folder / numbered(kSnapshot, number, kSnapshotEnd);
}

std::filesystem::path log_path(const std::filesystem::path& folder, std::uint64_t number) {
  return folder / numbered(kLog, number, "");
}

std::filesystem::path lock_path(const std::filesystem::path& folder) { return folder / "lock"; }

std::unique_ptr<storage::FileLock> lock_folder(storage::Env& env, const std::filesystem::path& folder) {
  std::unique_ptr<storage::FileLock> lock = env.lock(lock_path(folder));
  if (lock) return lock;
  throw LockedError(folder.u8string() + ": " + holder_in(env, lock_path(folder)) +
                    ", or one forked from it, has the index open for writing; mode \"r\" needs no lock");
}

void check_vacant(storage::Env& env, const std::filesystem::path& folder) {
  for (const std::string& name : env.list(folder)) {
    if (name == "lock" || is_temporary(name)) continue;
    const std::optional<std::uint64_t> number = number_of(name);
    if (!number) throw InvalidArgument(folder.u8string() + ": the folder is not empty: it has " + name);
    const bool log_is_used =
        number_in(name, kLog, "") && env.open(folder / name, false)->size() > storage::kLogHeaderBytes;
    if (*number > 1 || log_is_used) {
      throw CorruptIndexError(folder.u8string() + ": it has " + name + ", but no manifest");
    }
  }
}

std::size_t remove_leftovers(storage::Env& env, const std::filesystem::path& folder, const Manifest& manifest) {
  std::size_t removed = 0;
  try {
    for (const std::string& name : env.list(folder)) {
      const auto snapshot = number_in(name, kSnapshot, kSnapshotEnd), log = number_in(name, kLog, "");
      const bool stray = (snapshot && *snapshot != manifest.snapshot) || (log && *log != manifest.log);
      if (!stray && !is_temporary(name)) continue;
      env.remove(folder / name);
      ++removed;
    }
  } catch (const IoError&) {  // the next one who opens the folder tries again
  }
  return removed;
}

std::uint64_t last_number(storage::Env& env, const std::filesystem::path& folder) {
  std::uint64_t last = 0;
  for (const std::string& name : env.list(folder)) last = std::max(last, number_of(name).value_or(0));
  return last;
}

std::unique_ptr<index::Store> open_snapshot(storage::Env& env, const std::filesystem::path& folder,
                                            const Manifest& manifest, bool map) {
  std::shared_ptr<const storage::RandomAccessFile> file = env.open(snapshot_path(folder, manifest.snapshot), map);
  const std::uint64_t file_id = storage::ContainerReader(file).file_id();
  if (file_id != manifest.snapshot_id || file->size() != manifest.snapshot_bytes) {
    throw CorruptIndexError(file->name() + ": it is not the file that the manifest names");
  }
  return std::make_unique<index::Store>(std::move(file), true);
}

void describe_snapshot(storage::Env& env, const std::filesystem::path& folder, Manifest& manifest) {
  const std::shared_ptr<const storage::RandomAccessFile> file =
      env.open(snapshot_path(folder, manifest.snapshot), false);
  manifest.snapshot_id = storage::ContainerReader(file).file_id();
  manifest.snapshot_bytes = file->size();
}

storage::LogReader open_log(storage::Env& env, const std::filesystem::path& folder, const Manifest& manifest) {
  return storage::LogReader(env.open(log_path(folder, manifest.log), false), {manifest.folder, manifest.log},
                            manifest.first_sequence, manifest.log_synced);
}

}  // namespace hopspan::durable
