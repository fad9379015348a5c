#include "index/fitting.h"

#include <utility>

#include "index/traversal.h"
#include "storage/spill.h"
#include "vectors/encode.h"

namespace hopspan::index {
namespace {

bool stay_bytes(const IndexOptions& options, const vectors::Matrix& rows, const MatrixView& vectors) {
  if (options.dtype != DType::kFloat32 || options.kind == Kind::kSpann) return false;
  return (rows.format().bytes || rows.size() == 0) && vectors::are_bytes(vectors);
}

}  // namespace

bool belong_on_disk(const IndexOptions& options, const vectors::RowFormat& format, std::size_t size) {
  return options.kind == Kind::kHnsw && options.hnsw.vectors == Place::kDisk &&
         Traversal::serves(options, format, size) && storage::Spill::available();
}

Fitting::Fitting(const IndexOptions& options, vectors::Matrix& rows, Engine& engine, core::FairMutex& mutex,
                 const MatrixView& vectors)
    : rows_(rows), engine_(engine) {
  vectors::RowFormat format = rows.format();
  format.bytes = stay_bytes(options, rows, vectors);
  const bool converts = format.bytes != rows.format().bytes;
  const bool moves = belong_on_disk(options, format, rows.size() + vectors.rows) && !rows.writable_on_disk();
  if (!converts && !moves) return;
  std::optional<vectors::Matrix> fitting;
  mutex.aside([&] {
    if (converts) fitting = rows.size() == 0 ? vectors::Matrix(format) : rows.widened();
    if (moves) fitting = fitting ? fitting->spilled() : rows.spilled();
  });
  swap(*fitting);
  before_ = std::move(fitting);
}

Fitting::~Fitting() {
  if (before_) swap(*before_);
}

void Fitting::swap(vectors::Matrix& rows) noexcept {
  std::swap(rows_, rows);
  engine_.reformat();
}

}  // namespace hopspan::index
