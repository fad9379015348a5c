#if defined(_WIN32)

#define NOMINMAX
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

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
        handle_(::CreateFileW(path.c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, nullptr, OPEN_EXISTING,
                              FILE_ATTRIBUTE_NORMAL, nullptr)) {
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
  explicit WindowsWriter(const std::filesystem::path& path)
      : name_(path.u8string()),
        handle_(::CreateFileW(path.c_str(), GENERIC_WRITE, 0, nullptr, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, nullptr)) {
    if (!handle_.valid()) fail(name_, "create");
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

  void close() override {
    if (!::CloseHandle(handle_.release())) fail(name_, "close");
  }

 private:
  std::string name_;
  Handle handle_;
};

class WindowsEnv final : public Env {
 public:
  std::unique_ptr<RandomAccessFile> open(const std::filesystem::path& path, bool map) override {
    return std::make_unique<WindowsFile>(path, map);
  }

  std::unique_ptr<WritableFile> create(const std::filesystem::path& path) override {
    return std::make_unique<WindowsWriter>(path);
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
