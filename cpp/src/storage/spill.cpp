#include "storage/spill.h"

#include "core/threads.h"
#include "hopspan/error.h"

#if defined(_WIN32)

namespace hopspan::storage {

bool Spill::available() noexcept { return false; }
Spill::Spill() : forks_(0) { throw InvalidArgument("this system has no temporary files without a name"); }
Spill::~Spill() = default;
std::byte* Spill::resize(std::size_t) { return nullptr; }
void Spill::read(std::size_t, void*, std::size_t) const {}
void Spill::forget() const noexcept {}
bool Spill::shared() const noexcept { return false; }

}  // namespace hopspan::storage

#else

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <new>

namespace hopspan::storage {
namespace {

constexpr std::size_t kUnit = std::size_t{64} << 10;  // a multiple of every page size

std::string temporary_folder() {
  const char* const folder = std::getenv("TMPDIR");
  return folder == nullptr || *folder == '\0' ? "/var/tmp" : folder;
}

// So many bytes of the file, of which none can be missing when its pages are written. Returns an error number.
int reserve(int file, std::size_t bytes) {
#if defined(__APPLE__)
  fstore_t wanted{F_ALLOCATEALL, F_PEOFPOSMODE, 0, static_cast<off_t>(bytes), 0};
  if (::fcntl(file, F_PREALLOCATE, &wanted) != 0) return errno;
  return ::ftruncate(file, static_cast<off_t>(bytes)) == 0 ? 0 : errno;
#else
  int error;
  do {
    error = ::posix_fallocate(file, 0, static_cast<off_t>(bytes));
  } while (error == EINTR);
  return error;
#endif
}

}  // namespace

bool Spill::available() noexcept { return true; }

Spill::Spill() : name_(temporary_folder() + "/hopspan-XXXXXX"), forks_(core::forks_around()) {
  file_ = ::mkostemp(name_.data(), O_CLOEXEC);
  if (file_ < 0) throw IoError(errno, name_, "create");
  ::unlink(name_.c_str());
}

Spill::~Spill() {
  if (bytes_ != nullptr) ::munmap(bytes_, mapped_);
  ::close(file_);
}

std::byte* Spill::resize(std::size_t bytes) {
  const std::size_t wanted = std::max<std::size_t>(1, (bytes + kUnit - 1) / kUnit) * kUnit;
  if (wanted <= mapped_) return bytes_;
  if (const int error = reserve(file_, wanted); error != 0) throw IoError(error, name_, "write");
  void* const address = ::mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
  if (address == MAP_FAILED) throw std::bad_alloc();
  if (bytes_ != nullptr) ::munmap(bytes_, mapped_);
  bytes_ = static_cast<std::byte*>(address);
  mapped_ = wanted;
  return bytes_;
}

void Spill::read(std::size_t offset, void* out, std::size_t n) const {
  for (std::size_t done = 0; done < n;) {
    const ssize_t got =
        ::pread(file_, static_cast<std::byte*>(out) + done, n - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw IoError(got < 0 ? errno : EIO, name_, "read");
    done += static_cast<std::size_t>(got);
  }
}

void Spill::forget() const noexcept {
  if (bytes_ != nullptr) ::madvise(bytes_, mapped_, MADV_DONTNEED);
}

bool Spill::shared() const noexcept { return core::forks_around() != forks_; }

}  // namespace hopspan::storage

#endif
