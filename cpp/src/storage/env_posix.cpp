#if !defined(_WIN32)

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "storage/env.h"
#include "storage/posix_io.h"

namespace hopspan::storage {
namespace {

[[noreturn]] void fail(const std::string& path, const char* action) { throw IoError(errno, path, action); }

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }

  int get() const noexcept { return fd_; }
  int release() noexcept { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

int sync_descriptor(int fd) {
#if defined(__APPLE__)
  if (retry([&] { return ::fcntl(fd, F_FULLFSYNC); }) == 0) return 0;  // some file systems know fsync only
#endif
  return retry([&] { return ::fsync(fd); });
}

constexpr int kReadFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;  // opening a pipe must not wait for its other end

enum class Access { kPlain, kMap, kDirect };

// Room for reads past the page cache, which take whole aligned blocks only.
struct Bounce {
  alignas(kDirectBytes) std::byte bytes[65536];
};

class PosixFile final : public RandomAccessFile {
 public:
  PosixFile(std::string name, Access access)
      : RandomAccessFile(std::move(name)), fd_(retry([&] { return ::open(this->name().c_str(), kReadFlags); })) {
    struct stat status;
    if (fd_.get() < 0 || ::fstat(fd_.get(), &status) != 0) fail(this->name(), "open");
    if (S_ISDIR(status.st_mode)) throw IoError(EISDIR, this->name(), "open");
    if (!S_ISREG(status.st_mode)) throw IoError(EINVAL, this->name(), "open something that is not a regular file:");
    size_ = static_cast<std::uint64_t>(status.st_size);
    if (access == Access::kMap && size_ != 0) map_file();
    if (access == Access::kDirect) bypass_cache();
  }
  ~PosixFile() override {
    if (map_ != nullptr) ::munmap(map_, static_cast<std::size_t>(size_));
  }

  std::uint64_t size() const noexcept override { return size_; }
  void forget(std::uint64_t offset, std::size_t n) const noexcept override {
    if (map_ == nullptr) return;
    const std::uint64_t page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    const std::uint64_t begin = offset / page * page;
    ::madvise(static_cast<std::byte*>(map_) + begin, static_cast<std::size_t>(offset + n - begin), MADV_DONTNEED);
  }
  const std::byte* map() const noexcept override { return static_cast<const std::byte*>(map_); }
  int descriptor() const noexcept override { return fd_.get(); }

  void read(std::uint64_t offset, void* out, std::size_t n) const override {
    if (offset > size_ || n > size_ - offset) throw_past_end(*this, offset, n);
    const bool in_blocks = (offset | n | reinterpret_cast<std::uintptr_t>(out)) % kDirectBytes == 0;
    if (direct_ && !in_blocks) return read_blocks(offset, static_cast<std::byte*>(out), n);
    char* to = static_cast<char*>(out);
    const std::int64_t got = move_all(n, [&](std::size_t done, std::size_t part) {
      return ::pread(fd_.get(), to + done, part, static_cast<off_t>(offset + done));
    });
    if (got < 0) fail(name(), "read");
    if (static_cast<std::size_t>(got) != n) throw_past_end(*this, offset, n);
  }

 private:
  // Without MADV_RANDOM a touched page would bring in megabytes around it. A file that cannot be mapped stays unmapped.
  void map_file() {
    void* map = ::mmap(nullptr, static_cast<std::size_t>(size_), PROT_READ, MAP_SHARED, fd_.get(), 0);
    if (map == MAP_FAILED) return;
    ::madvise(map, static_cast<std::size_t>(size_), MADV_RANDOM);
    map_ = map;
  }

  // The new descriptor is the same file's, even when its name has been given to another meanwhile. Some systems refuse
  // at the first read only.
  void bypass_cache() {
#if defined(O_DIRECT)
    const std::string self = "/proc/self/fd/" + std::to_string(fd_.get());
    Descriptor direct(retry([&] { return ::open(self.c_str(), kReadFlags | O_DIRECT); }));
    const std::unique_ptr<Bounce> room = std::make_unique<Bounce>();
    if (direct.get() < 0 || ::pread(direct.get(), room->bytes, kDirectBytes, 0) < 0) return;
    fd_ = std::move(direct);
    direct_ = true;
#endif
  }

  void read_blocks(std::uint64_t offset, std::byte* out, std::size_t n) const {
    const std::unique_ptr<Bounce> room(new Bounce);
    while (n != 0) {
      const std::size_t skip = static_cast<std::size_t>(offset % kDirectBytes);
      const std::size_t blocks = (skip + n + kDirectBytes - 1) / kDirectBytes;
      const std::size_t wanted = std::min(sizeof room->bytes, blocks * kDirectBytes);
      const std::int64_t got = read_once(offset - skip, room->bytes, wanted);
      if (got < 0) fail(name(), "read");
      if (static_cast<std::size_t>(got) <= skip) throw_past_end(*this, offset, n);
      const std::size_t part = std::min(static_cast<std::size_t>(got) - skip, n);
      std::memcpy(out, room->bytes + skip, part);
      out += part;
      offset += part;
      n -= part;
    }
  }

  std::int64_t read_once(std::uint64_t offset, void* out, std::size_t n) const {
    std::int64_t got;
    do {
      got = ::pread(fd_.get(), out, n, static_cast<off_t>(offset));
    } while (got < 0 && errno == EINTR);
    return got;
  }

  Descriptor fd_;
  std::uint64_t size_ = 0;
  void* map_ = nullptr;
  bool direct_ = false;
};

class PosixWriter final : public WritableFile {
 public:
  PosixWriter(std::string name, int flags, const char* action)
      : name_(std::move(name)),
        fd_(retry([&] { return ::open(name_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | flags, 0666); })) {
    if (fd_.get() < 0) fail(name_, action);
  }

  void append(const void* data, std::size_t n) override {
    const char* from = static_cast<const char*>(data);
    const std::int64_t put =
        move_all(n, [&](std::size_t done, std::size_t part) { return ::write(fd_.get(), from + done, part); });
    if (put < 0) fail(name_, "write");
    if (static_cast<std::size_t>(put) != n) throw IoError(EIO, name_, "write");
  }

  void sync() override {
    if (sync_descriptor(fd_.get()) != 0) fail(name_, "sync");
  }

  void truncate(std::uint64_t size) override {
    if (retry([&] { return ::ftruncate(fd_.get(), static_cast<off_t>(size)); }) != 0) fail(name_, "truncate");
  }

  // An interrupted close has closed all the same.
  void close() override {
    if (::close(fd_.release()) != 0 && errno != EINTR) fail(name_, "close");
  }

 private:
  std::string name_;
  Descriptor fd_;
};

// A child inherits the descriptor, and with it the lock: only the process that made it may release it.
class PosixLock final : public FileLock {
 public:
  explicit PosixLock(Descriptor fd) : fd_(std::move(fd)), owner_(::getpid()) {}
  ~PosixLock() override {
    if (is_mine()) release();
  }

  bool is_mine() const noexcept override { return ::getpid() == owner_; }
  void release() noexcept override { ::flock(fd_.get(), LOCK_UN); }

 private:
  Descriptor fd_;
  pid_t owner_;
};

class PosixEnv final : public Env {
 public:
  std::unique_ptr<RandomAccessFile> open(const std::filesystem::path& path, bool map) override {
    return std::make_unique<PosixFile>(path.string(), map ? Access::kMap : Access::kPlain);
  }

  std::unique_ptr<RandomAccessFile> open_direct(const std::filesystem::path& path) override {
    return std::make_unique<PosixFile>(path.string(), Access::kDirect);
  }

  std::unique_ptr<WritableFile> create(const std::filesystem::path& path) override {
    return std::make_unique<PosixWriter>(path.string(), O_CREAT | O_EXCL, "create");
  }

  std::unique_ptr<WritableFile> extend(const std::filesystem::path& path) override {
    return std::make_unique<PosixWriter>(path.string(), 0, "open");
  }

  void rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
    if (std::rename(from.c_str(), to.c_str()) != 0) fail(to.string(), "replace");
  }

  void remove(const std::filesystem::path& path) override {
    if (::unlink(path.c_str()) != 0) fail(path.string(), "remove");
  }

  // EINVAL says that this file system has nothing to sync for a folder.
  void sync_dir(const std::filesystem::path& folder) override {
    const Descriptor fd(retry([&] { return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (fd.get() < 0) fail(folder.string(), "open");
    if (sync_descriptor(fd.get()) != 0 && errno != EINVAL) fail(folder.string(), "sync");
  }

  void create_folder(const std::filesystem::path& path) override {
    if (::mkdir(path.c_str(), 0777) != 0) fail(path.string(), "create");
  }

  std::vector<std::string> list(const std::filesystem::path& folder) override {
    std::error_code error;
    std::vector<std::string> names;
    std::filesystem::directory_iterator entry(folder, error);
    for (const std::filesystem::directory_iterator end; !error && entry != end; entry.increment(error)) {
      names.push_back(entry->path().filename().string());
    }
    if (error) throw IoError(error.value(), folder.string(), "list");
    std::sort(names.begin(), names.end());
    return names;
  }

  std::unique_ptr<FileLock> lock(const std::filesystem::path& path) override {
    Descriptor fd(retry([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666); }));
    if (fd.get() < 0) fail(path.string(), "open");
    if (retry([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) != 0) {
      if (errno == EWOULDBLOCK) return nullptr;
      fail(path.string(), "lock");
    }
    const std::string holder = "process " + std::to_string(::getpid()) + "\n";
    if (::ftruncate(fd.get(), 0) != 0 || ::pwrite(fd.get(), holder.data(), holder.size(), 0) < 0) {
      // On a full disk the lock holds all the same; it only does not say whose it is.
    }
    return std::make_unique<PosixLock>(std::move(fd));
  }

  FileKind kind(const std::filesystem::path& path) override {
    struct stat status;
    if (::stat(path.c_str(), &status) != 0) {
      if (errno == ENOENT) return FileKind::kMissing;
      fail(path.string(), "look up");
    }
    if (S_ISREG(status.st_mode)) return FileKind::kRegular;
    return S_ISDIR(status.st_mode) ? FileKind::kFolder : FileKind::kOther;
  }
};

}  // namespace

Env& Env::system() {
  static PosixEnv env;
  return env;
}

}  // namespace hopspan::storage

#endif
