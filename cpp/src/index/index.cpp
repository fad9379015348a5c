#include "hopspan/index.h"

#include <utility>

#include "index/disk_index.h"
#include "index/impl.h"
#include "index/store.h"
#include "storage/env.h"

namespace hopspan {
namespace {

// Bytes of an index on disk, which go on being read after it has been opened.
class HeldBytes final : public storage::RandomAccessFile {
 public:
  HeldBytes(std::string name, const void* data, std::size_t size)
      : RandomAccessFile(std::move(name)),
        bytes_(static_cast<const std::byte*>(data), static_cast<const std::byte*>(data) + size) {}

  std::uint64_t size() const noexcept override { return bytes_.size(); }
  void read(std::uint64_t offset, void* out, std::size_t n) const override {
    storage::MemoryFile(name(), bytes_.data(), bytes_.size()).read(offset, out, n);
  }

 private:
  std::vector<std::byte> bytes_;
};

std::unique_ptr<index::Body> open(const std::filesystem::path& path, const LoadOptions& options) {
  storage::Env& env = storage::Env::system();
  std::shared_ptr<const storage::RandomAccessFile> file = env.open(path, options.map);
  if (!index::DiskIndex::is_in(storage::ContainerReader(file))) {
    return std::make_unique<index::Store>(std::move(file), options.verify);
  }
  return std::make_unique<index::DiskIndex>(env.open_direct(path), options.verify, options.cache_bytes);
}

std::unique_ptr<index::Body> open_bytes(const void* data, std::size_t size) {
  const char* const name = "bytes of an index";
  auto file = std::make_shared<const storage::MemoryFile>(name, data, size);
  if (!index::DiskIndex::is_in(storage::ContainerReader(file))) return std::make_unique<index::Store>(file, true);
  return std::make_unique<index::DiskIndex>(std::make_shared<const HeldBytes>(name, data, size), true, 0);
}

}  // namespace

Index::Index(const IndexOptions& options) : impl_(std::make_unique<Impl>(std::make_unique<index::Store>(options))) {}
Index::Index(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Index::Index(Index&&) noexcept = default;
Index& Index::operator=(Index&&) noexcept = default;
Index::~Index() = default;

Index Index::load(const std::filesystem::path& path, const LoadOptions& options) {
  return Index(std::make_unique<Impl>(open(path, options)));
}

Index Index::from_bytes(const void* data, std::size_t size) {
  return Index(std::make_unique<Impl>(open_bytes(data, size)));
}

void Index::save(const std::filesystem::path& path) const { (*impl_)->save(storage::Env::system(), path); }

std::vector<std::byte> Index::to_bytes() const { return (*impl_)->to_bytes(); }

std::vector<std::int64_t> Index::add(const MatrixView& vectors, const std::int64_t* ids, const AddOptions& options) {
  return (*impl_)->add(vectors, ids, options);
}

std::size_t Index::remove(const std::int64_t* ids, std::size_t count, const AddOptions& options) {
  return (*impl_)->remove(ids, count, options);
}

void Index::search(const MatrixView& queries, const SearchOptions& options, std::int64_t* ids, float* distances) const {
  (*impl_)->search(queries, options, ids, distances);
}

void Index::get(const std::int64_t* ids, std::size_t count, void* out) const { (*impl_)->get(ids, count, out); }
bool Index::contains(std::int64_t id) const { return (*impl_)->contains(id); }
std::size_t Index::size() const noexcept { return (*impl_)->size(); }
std::size_t Index::row_bytes() const noexcept { return (*impl_)->row_bytes(); }
const IndexOptions& Index::options() const noexcept { return (*impl_)->options(); }
Stats Index::stats() const { return (*impl_)->stats(); }
CheckReport Index::check(bool deep) const { return (*impl_)->check(deep); }

std::vector<TunePoint> Index::tune(const MatrixView& queries, const TuneOptions& options) {
  return (*impl_)->tune(queries, options);
}

}  // namespace hopspan
