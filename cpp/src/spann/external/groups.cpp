// A record of a group's file: u32 list, then the row. The rows of a list come in the order of their vectors, which is
// that of its copies.
#include "spann/external/groups.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "core/crc32c.h"
#include "hopspan/error.h"
#include "spann/lists/format.h"

namespace hopspan::spann::external {
namespace {

constexpr std::size_t kListBytes = sizeof(std::uint32_t);

void remove_if_there(storage::Env& env, const std::filesystem::path& path) {
  if (env.kind(path) == storage::FileKind::kRegular) env.remove(path);
}

}  // namespace

Groups::Groups(storage::Env& env, std::filesystem::path prefix, std::size_t row_bytes, const Copies& copies,
               std::size_t group_bytes)
    : env_(env), row_bytes_(row_bytes), copies_(copies) {
  plan(group_bytes);
  index_lists_of_vectors();
  try {
    create_files(prefix);
  } catch (...) {
    remove_files();
    throw;
  }
}

Groups::~Groups() { remove_files(); }

void Groups::remove_files() noexcept {
  for (File& file : files_) {
    file.file.reset();
    try {
      remove_if_there(env_, file.path);
    } catch (...) {  // it stays behind, and the next build replaces it
    }
  }
}

void Groups::plan(std::size_t group_bytes) {
  const std::size_t least = count_copies(copies_) * row_bytes_ / kMostGroups + 1;
  const std::size_t most = std::max(group_bytes, least);
  std::size_t bytes = most;
  for (std::uint32_t list = 0; list < copies_.size(); ++list) {
    const std::size_t more = copies_[list].size() * row_bytes_;
    if (bytes + more > most) {
      first_lists_.push_back(list);
      bytes = 0;
    }
    bytes += more;
  }
  if (first_lists_.empty()) first_lists_.push_back(0);
  first_lists_.push_back(static_cast<std::uint32_t>(copies_.size()));
}

void Groups::index_lists_of_vectors() {
  std::uint32_t vectors = 0;
  for (const auto& list : copies_) {
    for (const std::uint32_t entry : list) vectors = std::max(vectors, slot_of(entry) + 1);
  }
  starts_.assign(std::size_t{vectors} + 2, 0);
  for (const auto& list : copies_) {
    for (const std::uint32_t entry : list) ++starts_[slot_of(entry) + 2];
  }
  for (std::size_t i = 2; i < starts_.size(); ++i) starts_[i] += starts_[i - 1];
  lists_.resize(starts_.back());
  for (std::uint32_t list = 0; list < copies_.size(); ++list) {
    for (const std::uint32_t entry : copies_[list]) lists_[starts_[slot_of(entry) + 1]++] = list;
  }
}

void Groups::create_files(const std::filesystem::path& prefix) {
  files_.resize(size());
  for (std::size_t group = 0; group < size(); ++group) {
    File& file = files_[group];
    file.path = prefix;
    file.path += std::to_string(group);
    remove_if_there(env_, file.path);
    file.file = env_.create(file.path);
    file.pending.reserve(kWriteBytes + kListBytes + row_bytes_);
  }
}

void Groups::add(std::size_t first, std::size_t count, const std::byte* rows) {
  for (std::size_t vector = first; vector < first + count; ++vector, rows += row_bytes_) {
    std::size_t group = 0;
    for (std::size_t i = starts_[vector]; i < starts_[vector + 1]; ++i) {
      const std::uint32_t list = lists_[i];
      const auto next =
          std::upper_bound(first_lists_.begin() + static_cast<std::ptrdiff_t>(group), first_lists_.end(), list);
      group = static_cast<std::size_t>(next - first_lists_.begin()) - 1;
      File& file = files_[group];
      const std::byte* const number = reinterpret_cast<const std::byte*>(&list);
      file.pending.insert(file.pending.end(), number, number + kListBytes);
      file.pending.insert(file.pending.end(), rows, rows + row_bytes_);
      if (file.pending.size() >= kWriteBytes) flush(file);
    }
  }
}

void Groups::flush(File& file) {
  file.checksum = core::crc32c(file.pending.data(), file.pending.size(), file.checksum);
  file.file->append(file.pending.data(), file.pending.size());
  file.pending.clear();
}

void Groups::close() {
  for (File& file : files_) {
    flush(file);
    file.file->close();
    file.file.reset();
    std::vector<std::byte>().swap(file.pending);
  }
  std::vector<std::uint32_t>().swap(starts_);
  std::vector<std::uint32_t>().swap(lists_);
}

Groups::Loaded Groups::load(std::size_t group) const {
  Loaded loaded;
  loaded.first_list_ = first_lists_[group];
  loaded.row_bytes_ = row_bytes_;
  loaded.starts_.push_back(0);
  for (std::size_t list = first_lists_[group]; list < first_lists_[group + 1]; ++list) {
    loaded.starts_.push_back(loaded.starts_.back() + copies_[list].size());
  }
  const std::size_t count = loaded.starts_.back();
  loaded.rows_.resize(count * row_bytes_);
  const auto file = env_.open(files_[group].path, false);
  const std::size_t record = kListBytes + row_bytes_;
  const std::size_t at_once = std::max<std::size_t>(1, kWriteBytes / record);
  std::vector<std::byte> part(at_once * record);
  std::vector<std::size_t> next(loaded.starts_.begin(), loaded.starts_.end() - 1);
  std::uint32_t checksum = 0;
  for (std::size_t done = 0; done < count; done += at_once) {
    const std::size_t some = std::min(at_once, count - done);
    file->read(done * record, part.data(), some * record);
    checksum = core::crc32c(part.data(), some * record, checksum);
    for (std::size_t i = 0; i < some; ++i) {
      std::uint32_t list;
      std::memcpy(&list, part.data() + i * record, kListBytes);
      const std::size_t place = list - loaded.first_list_;
      if (place >= next.size() || next[place] == loaded.starts_[place + 1]) break;
      std::memcpy(loaded.rows_.data() + next[place]++ * row_bytes_, part.data() + i * record + kListBytes, row_bytes_);
    }
  }
  if (checksum != files_[group].checksum) throw CorruptIndexError(file->name() + " is not what was written to it");
  return loaded;
}

}  // namespace hopspan::spann::external
