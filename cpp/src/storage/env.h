// Every byte that the library reads or writes goes through an Env, so that a test can put its own file system in its
// place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hopspan/error.h"

namespace hopspan::storage {

inline constexpr std::size_t kDirectBytes = 4096;

// A file of fixed size that is only read. Safe to use from any number of threads.
class RandomAccessFile {
 public:
  explicit RandomAccessFile(std::string name) : name_(std::move(name)) {}
  virtual ~RandomAccessFile() = default;
  RandomAccessFile(const RandomAccessFile&) = delete;
  RandomAccessFile& operator=(const RandomAccessFile&) = delete;

  const std::string& name() const noexcept { return name_; }
  virtual std::uint64_t size() const noexcept = 0;
  // Reads exactly n bytes. Throws CorruptIndexError when the file ends before them, IoError when the system refuses.
  virtual void read(std::uint64_t offset, void* out, std::size_t n) const = 0;
  // The whole file, read-only, at a page boundary; null when it was opened without a mapping or has none.
  virtual const std::byte* map() const noexcept { return nullptr; }
  // Lets go of the memory that pages of the mapping take, which are read again when they are touched.
  virtual void forget(std::uint64_t, std::size_t) const noexcept {}
  // What the system reads it by, for those who ask it for many pieces at once; -1 when there is no such thing.
  virtual int descriptor() const noexcept { return -1; }

 private:
  std::string name_;
};

// A file that grows at its end. Every method throws IoError; after that, only truncate and destruction are safe.
class WritableFile {
 public:
  WritableFile() = default;
  virtual ~WritableFile() = default;
  WritableFile(const WritableFile&) = delete;
  WritableFile& operator=(const WritableFile&) = delete;

  virtual void append(const void* data, std::size_t n) = 0;
  // Returns when everything appended so far is on the device.
  virtual void sync() = 0;
  // Keeps the first `size` bytes; the next append follows them.
  virtual void truncate(std::uint64_t size) = 0;
  virtual void close() = 0;
};

// A lock that one object of all processes has at a time, until release, or the object's or its process's end.
class FileLock {
 public:
  FileLock() = default;
  virtual ~FileLock() = default;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  // False in a child that was forked since.
  virtual bool is_mine() const noexcept = 0;
  virtual void release() noexcept = 0;
};

enum class FileKind { kMissing, kRegular, kFolder, kOther };

class Env {
 public:
  Env() = default;
  virtual ~Env() = default;
  Env(const Env&) = delete;
  Env& operator=(const Env&) = delete;

  // map: map the file into memory where that is possible; pages are then read one by one, as they are touched.
  virtual std::unique_ptr<RandomAccessFile> open(const std::filesystem::path& path, bool map) = 0;
  // Reads go past the system's page cache where the file system allows that, so that they take no memory; whoever uses
  // the descriptor keeps to multiples of kDirectBytes then, in offset, size and address.
  virtual std::unique_ptr<RandomAccessFile> open_direct(const std::filesystem::path& path) { return open(path, false); }
  // Throws IoError with EEXIST when there is a file of that name.
  virtual std::unique_ptr<WritableFile> create(const std::filesystem::path& path) = 0;
  // An existing file, to append to.
  virtual std::unique_ptr<WritableFile> extend(const std::filesystem::path& path) = 0;
  // Replaces `to` when it exists.
  virtual void rename(const std::filesystem::path& from, const std::filesystem::path& to) = 0;
  virtual void remove(const std::filesystem::path& path) = 0;
  // Makes the names in this folder durable.
  virtual void sync_dir(const std::filesystem::path& folder) = 0;
  // Throws IoError with EEXIST when there is something of that name.
  virtual void create_folder(const std::filesystem::path& path) = 0;
  // The names in a folder, sorted.
  virtual std::vector<std::string> list(const std::filesystem::path& folder) = 0;
  // Null while another object has the lock. The file is made when it is missing, stays, and says which process has it.
  virtual std::unique_ptr<FileLock> lock(const std::filesystem::path& path) = 0;
  // Follows symbolic links.
  virtual FileKind kind(const std::filesystem::path& path) = 0;

  // The operating system's.
  static Env& system();
};

// Throws the CorruptIndexError of RandomAccessFile::read.
[[noreturn]] void throw_past_end(const RandomAccessFile& file, std::uint64_t offset, std::size_t n);

// Borrowed bytes as a file. They may go away after it, so they are never handed out as a mapping.
class MemoryFile final : public RandomAccessFile {
 public:
  MemoryFile(std::string name, const void* data, std::size_t size)
      : RandomAccessFile(std::move(name)), data_(static_cast<const std::byte*>(data)), size_(size) {}

  std::uint64_t size() const noexcept override { return size_; }
  void read(std::uint64_t offset, void* out, std::size_t n) const override;

 private:
  const std::byte* data_;
  std::size_t size_;
};

// Appends to a borrowed vector.
class MemoryWriter final : public WritableFile {
 public:
  explicit MemoryWriter(std::vector<std::byte>& out) : out_(&out) {}

  void append(const void* data, std::size_t n) override;
  void sync() override {}
  void truncate(std::uint64_t size) override { out_->resize(static_cast<std::size_t>(size)); }
  void close() override {}

 private:
  std::vector<std::byte>* out_;
};

}  // namespace hopspan::storage
