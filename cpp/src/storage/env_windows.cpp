#if defined(_WIN32)

#define NOMINMAX
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "storage/env.h"

namespace hopspan::storage {
namespace {

[[noreturn]] void fail(const std::string& path, const char* action) {
  const std::error_code code(static_cast<int>(::GetLastError()), std::system_category());
  const std::error_condition known = code.default_error_condition();
  throw IoError(known.category() == std::generic_category() ? known.value() : EIO, path, action);
}

class Handle {
 public:
  explicit Handle(HANDLE handle) : handle_(handle) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (valid()) ::CloseHandle(handle_);
  }

  bool valid() const noexcept { return handle_ != nullptr && handle_ != INVALID_HANDLE_VALUE; }
  HANDLE get() const noexcept { return handle_; }
  HANDLE release() noexcept { return std::exchange(handle_, INVALID_HANDLE_VALUE); }

 private:
  HANDLE handle_;
};

constexpr std::size_t kLargestTransfer = std::size_t{1} << 30;

DWORD transfer_size(std::size_t n) { return static_cast<DWORD>(n < kLargestTransfer ? n : kLargestTransfer); }

class WindowsFile final : public RandomAccessFile {
 public:
  WindowsFile(const std::filesystem::path& path, bool map)
      : RandomAccessFile(path.u8string()),
        handle_(::CreateFileW(path.c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                              nullptr, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr)) {
    LARGE_INTEGER size;
    if (!handle_.valid()) fail(name(), "open");
    if (::GetFileType(handle_.get()) != FILE_TYPE_DISK) throw IoError(EINVAL, name(), "open");
    if (!::GetFileSizeEx(handle_.get(), &size)) fail(name(), "open");
    size_ = static_cast<std::uint64_t>(size.QuadPart);
    if (map && size_ != 0) map_file();
  }
  ~WindowsFile() override {
    if (map_ != nullptr) ::UnmapViewOfFile(map_);
  }

  std::uint64_t size() const noexcept override { return size_; }
  const std::byte* map() const noexcept override { return static_cast<const std::byte*>(map_); }

  void read(std::uint64_t offset, void* out, std::size_t n) const override {
    if (offset > size_ || n > size_ - offset) throw_past_end(*this, offset, n);
    char* to = static_cast<char*>(out);
    while (n != 0) {
      OVERLAPPED at = {};
      at.Offset = static_cast<DWORD>(offset);
      at.OffsetHigh = static_cast<DWORD>(offset >> 32);
      DWORD got = 0;
      if (!::ReadFile(handle_.get(), to, transfer_size(n), &got, &at) && ::GetLastError() != ERROR_HANDLE_EOF) {
        fail(name(), "read");
      }
      if (got == 0) throw_past_end(*this, offset, n);
      to += got;
      offset += got;
      n -= got;
    }
  }

 private:
  // The view keeps the mapping alive. A file that cannot be mapped stays unmapped.
  void map_file() {
    const Handle mapping(::CreateFileMappingW(handle_.get(), nullptr, PAGE_READONLY, 0, 0, nullptr));
    if (mapping.valid()) map_ = ::MapViewOfFile(mapping.get(), FILE_MAP_READ, 0, 0, 0);
  }

  Handle handle_;
  std::uint64_t size_ = 0;
  void* map_ = nullptr;
};

class WindowsWriter final : public WritableFile {
 public:
  WindowsWriter(const std::filesystem::path& path, DWORD disposition, const char* action)
      : name_(path.u8string()),
        handle_(::CreateFileW(path.c_str(), GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_DELETE, nullptr, disposition,
                              FILE_ATTRIBUTE_NORMAL, nullptr)) {
    if (!handle_.valid()) fail(name_, action);
    if (!::SetFilePointerEx(handle_.get(), {}, nullptr, FILE_END)) fail(name_, action);
  }

  void append(const void* data, std::size_t n) override {
    const char* from = static_cast<const char*>(data);
    while (n != 0) {
      DWORD put = 0;
      if (!::WriteFile(handle_.get(), from, transfer_size(n), &put, nullptr)) fail(name_, "write");
      if (put == 0) throw IoError(EIO, name_, "write");
      from += put;
      n -= put;
    }
  }

  void sync() override {
    if (!::FlushFileBuffers(handle_.get())) fail(name_, "sync");
  }

  void truncate(std::uint64_t size) override {
    LARGE_INTEGER to;
    to.QuadPart = static_cast<LONGLONG>(size);
    if (!::SetFilePointerEx(handle_.get(), to, nullptr, FILE_BEGIN) || !::SetEndOfFile(handle_.get())) {
      fail(name_, "truncate");
    }
  }

  void close() override {
    if (!::CloseHandle(handle_.release())) fail(name_, "close");
  }

 private:
  std::string name_;
  Handle handle_;
};

// While the handle is open, nobody else can open the file.
class WindowsLock final : public FileLock {
 public:
  explicit WindowsLock(HANDLE handle) : handle_(handle) {}
  bool is_mine() const noexcept override { return true; }
  void release() noexcept override {
    if (handle_.valid()) ::CloseHandle(handle_.release());
  }

 private:
  Handle handle_;
};

class WindowsEnv final : public Env {
 public:
  std::unique_ptr<RandomAccessFile> open(const std::filesystem::path& path, bool map) override {
    return std::make_unique<WindowsFile>(path, map);
  }

  std::unique_ptr<WritableFile> create(const std::filesystem::path& path) override {
    return std::make_unique<WindowsWriter>(path, CREATE_NEW, "create");
  }

  std::unique_ptr<WritableFile> extend(const std::filesystem::path& path) override {
    return std::make_unique<WindowsWriter>(path, OPEN_EXISTING, "open");
  }

  void rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
    if (!::MoveFileExW(from.c_str(), to.c_str(), MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH)) {
      fail(to.u8string(), "replace");
    }
  }

  void remove(const std::filesystem::path& path) override {
    if (!::DeleteFileW(path.c_str())) fail(path.u8string(), "remove");
  }

  // MOVEFILE_WRITE_THROUGH has done it: a folder cannot be flushed here.
  void sync_dir(const std::filesystem::path&) override {}

  void create_folder(const std::filesystem::path& path) override {
    if (!::CreateDirectoryW(path.c_str(), nullptr)) fail(path.u8string(), "create");
  }

  std::vector<std::string> list(const std::filesystem::path& folder) override {
    std::error_code error;
    std::vector<std::string> names;
    std::filesystem::directory_iterator entry(folder, error);
    for (const std::filesystem::directory_iterator end; !error && entry != end; entry.increment(error)) {
      names.push_back(entry->path().filename().u8string());
    }
    if (error) throw IoError(error.default_error_condition().value(), folder.u8string(), "list");
    std::sort(names.begin(), names.end());
    return names;
  }

  std::unique_ptr<FileLock> lock(const std::filesystem::path& path) override {
    const HANDLE handle =
        ::CreateFileW(path.c_str(), GENERIC_WRITE, 0, nullptr, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, nullptr);
    if (handle != INVALID_HANDLE_VALUE) return std::make_unique<WindowsLock>(handle);
    if (::GetLastError() == ERROR_SHARING_VIOLATION) return nullptr;
    fail(path.u8string(), "lock");
  }

  FileKind kind(const std::filesystem::path& path) override {
    switch (std::filesystem::status(path).type()) {
      case std::filesystem::file_type::not_found:
        return FileKind::kMissing;
      case std::filesystem::file_type::regular:
        return FileKind::kRegular;
      case std::filesystem::file_type::directory:
        return FileKind::kFolder;
      default:
        return FileKind::kOther;
    }
  }
};

}  // namespace

Env& Env::system() {
  static WindowsEnv env;
  return env;
}

}  // namespace hopspan::storage

#endif
