#include "hopspan/index.h"

#include "index/store.h"
#include "storage/env.h"

namespace hopspan {

class Index::Impl : public index::Store {
 public:
  using Store::Store;
};

Index::Index(const IndexOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Index::Index(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Index::Index(Index&&) noexcept = default;
Index& Index::operator=(Index&&) noexcept = default;
Index::~Index() = default;

Index Index::load(const std::filesystem::path& path, const LoadOptions& options) {
  return Index(std::make_unique<Impl>(storage::Env::system().open(path, options.map), options.verify));
}

Index Index::from_bytes(const void* data, std::size_t size) {
  return Index(
      std::make_unique<Impl>(std::make_shared<const storage::MemoryFile>("bytes of an index", data, size), true));
}

void Index::save(const std::filesystem::path& path) const { impl_->save(storage::Env::system(), path); }

std::vector<std::byte> Index::to_bytes() const { return impl_->to_bytes(); }

std::vector<std::int64_t> Index::add(const MatrixView& vectors, const std::int64_t* ids, const AddOptions& options) {
  return impl_->add(vectors, ids, options);
}

void Index::search(const MatrixView& queries, const SearchOptions& options, std::int64_t* ids, float* distances) const {
  impl_->search(queries, options, ids, distances);
}

void Index::get(const std::int64_t* ids, std::size_t count, void* out) const { impl_->get(ids, count, out); }
bool Index::contains(std::int64_t id) const { return impl_->contains(id); }
std::size_t Index::size() const { return impl_->size(); }
std::size_t Index::row_bytes() const noexcept { return impl_->row_bytes(); }
const IndexOptions& Index::options() const noexcept { return impl_->options(); }
Stats Index::stats() const { return impl_->stats(); }
CheckReport Index::check(bool deep) const { return impl_->check(deep); }

std::vector<TunePoint> Index::tune(const MatrixView& queries, const TuneOptions& options) {
  return impl_->tune(queries, options);
}

}  // namespace hopspan
