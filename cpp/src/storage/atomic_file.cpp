#include "storage/atomic_file.h"

#include <cerrno>
#include <memory>
#include <string>

namespace hopspan::storage {
namespace {

constexpr int kMaxTemporaries = 10000;

// A new file beside the target, which goes away with this object unless it became the target.
class Temporary {
 public:
  Temporary(Env& env, const std::filesystem::path& target) : env_(env) {
    for (int n = 0; file_ == nullptr; ++n) {
      path_ = target;
      path_ += ".tmp" + std::to_string(n);
      try {
        file_ = env.create(path_);
      } catch (const IoError& error) {
        if (error.code() != EEXIST || n == kMaxTemporaries) throw;
      }
    }
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() {
    if (path_.empty()) return;
    file_.reset();
    try {
      env_.remove(path_);
    } catch (...) {  // the error that led here is the one to report
    }
  }

  WritableFile& file() { return *file_; }

  void become(const std::filesystem::path& target) {
    file_->sync();
    file_->close();
    env_.rename(path_, target);
    path_.clear();
  }

 private:
  Env& env_;
  std::filesystem::path path_;
  std::unique_ptr<WritableFile> file_;
};

void check_replaceable(Env& env, const std::filesystem::path& path) {
  switch (env.kind(path)) {
    case FileKind::kMissing:
    case FileKind::kRegular:
      return;
    case FileKind::kFolder:
      throw IoError(EISDIR, path.u8string(), "save to");
    case FileKind::kOther:
      throw IoError(EINVAL, path.u8string(), "replace something that is not a regular file:");
  }
}

}  // namespace

void atomic_save(Env& env, const std::filesystem::path& path, core::FunctionRef<void(WritableFile&)> write) {
  check_replaceable(env, path);
  try {
    Temporary temporary(env, path);
    write(temporary.file());
    temporary.become(path);
  } catch (const IoError& error) {  // which names a file that is gone again
    throw IoError(error.code(), path.u8string(), "save to");
  }
  env.sync_dir(path.has_parent_path() ? path.parent_path() : std::filesystem::path("."));
}

}  // namespace hopspan::storage
