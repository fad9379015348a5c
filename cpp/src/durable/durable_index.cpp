#include <cerrno>
#include <memory>

#include "durable/folder.h"
#include "durable/reader.h"
#include "durable/same_options.h"
#include "durable/writer.h"
#include "hopspan/durable.h"
#include "index/impl.h"
#include "index/meta.h"
#include "storage/container.h"

namespace hopspan {
namespace {

durable::Opened& opened(index::Body& body) { return static_cast<durable::Opened&>(body); }

std::unique_ptr<index::Body> open_folder(const std::filesystem::path& path, const OpenOptions& options) {
  storage::Env& env = storage::Env::system();
  if (options.mode == OpenMode::kAppend) return std::make_unique<durable::Writer>(env, path, options);
  auto reader = std::make_unique<durable::Reader>(env, path, options.threads);
  if (options.create) durable::check_same_options(reader->options(), *options.create, path.u8string());
  return reader;
}

}  // namespace

DurableIndex DurableIndex::open(const std::filesystem::path& path, const OpenOptions& options) {
  return DurableIndex(std::make_unique<Impl>(open_folder(path, options)));
}

std::optional<IndexOptions> DurableIndex::options_at(const std::filesystem::path& path) {
  storage::Env& env = storage::Env::system();
  for (int attempt = 1;; ++attempt) {
    if (env.kind(durable::manifest_path(path)) == storage::FileKind::kMissing) return {};
    try {
      const durable::Manifest manifest = durable::read_manifest(env, path);
      const storage::ContainerReader snapshot(env.open(durable::snapshot_path(path, manifest.snapshot), false));
      return index::load_meta(snapshot).options;
    } catch (const IoError& error) {  // a writer may just have replaced them
      if (error.code() != ENOENT || attempt == 5) throw;
    }
  }
}

void DurableIndex::flush() { opened(**impl_).flush(); }
void DurableIndex::compact() { opened(**impl_).compact(); }
bool DurableIndex::refresh() { return opened(**impl_).refresh(); }
void DurableIndex::close() { opened(**impl_).close(); }
Recovery DurableIndex::recovery() const { return opened(**impl_).recovery(); }

}  // namespace hopspan
