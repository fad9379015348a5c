#include "hopspan/build.h"

#include "index/disk_build.h"
#include "vectors/source.h"

namespace hopspan {

void build(const MatrixView& vectors, const std::filesystem::path& path, const BuildOptions& options) {
  index::build_on_disk(storage::Env::system(), vectors::ArraySource(vectors), path, options);
}

void build(const FileRows& rows, const std::filesystem::path& path, const BuildOptions& options) {
  storage::Env& env = storage::Env::system();
  const vectors::FileSource source(env.open(rows.path, false), rows.offset, rows.rows, rows.dim, rows.dtype);
  index::build_on_disk(env, source, path, options);
}

}  // namespace hopspan
