#include "vectors/source.h"

#include <cstring>
#include <string>
#include <utility>

#include "core/buffer.h"
#include "core/checked.h"
#include "hopspan/error.h"
#include "vectors/names.h"

namespace hopspan::vectors {

void ArraySource::read(std::size_t first, std::size_t count, void* out) const {
  const std::size_t bytes = row_bytes();
  if (count != 0) std::memcpy(out, static_cast<const std::byte*>(data_) + first * bytes, count * bytes);
}

FileSource::FileSource(std::unique_ptr<storage::RandomAccessFile> file, std::uint64_t offset, std::size_t rows,
                       std::size_t dim, DType dtype)
    : Source(rows, dim, dtype), file_(std::move(file)), offset_(offset) {
  const std::uint64_t wanted = core::checked_add(offset, core::checked_mul(rows, row_bytes()));
  if (file_->size() >= wanted) return;
  throw InvalidArgument(file_->name() + " has " + std::to_string(file_->size()) + " bytes; " + std::to_string(rows) +
                        " x " + std::to_string(dim) + " " + name(dtype) + " from byte " + std::to_string(offset) +
                        " on take " + std::to_string(wanted));
}

void FileSource::read(std::size_t first, std::size_t count, void* out) const {
  file_->read(offset_ + first * row_bytes(), out, count * row_bytes());
}

void read_stored(const Source& source, std::size_t first, std::size_t count, Matrix& out) {
  core::Buffer room(core::checked_mul(count, source.row_bytes()));
  source.read(first, count, room.data());
  out.truncate(0);
  out.append({room.data(), count, source.dim(), source.dtype()}, first);
}

}  // namespace hopspan::vectors
