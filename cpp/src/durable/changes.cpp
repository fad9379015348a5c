#include "durable/changes.h"

#include "hopspan/error.h"
#include "storage/byte_reader.h"
#include "vectors/matrix.h"

namespace hopspan::durable {
namespace {

constexpr std::size_t kHeldBytes = std::size_t{64} << 20;

std::size_t row_bytes(std::size_t dim, DType dtype) {
  return vectors::RowFormat{dim, Metric::kL2, dtype}.element_bytes();
}

}  // namespace

std::uint64_t log_add(storage::GroupLog& log, const MatrixView& vectors, const std::int64_t* ids) {
  storage::ByteWriter start;
  start.u64(static_cast<std::uint64_t>(vectors.dtype));
  start.count(vectors.rows);
  return log.append(static_cast<std::uint8_t>(Change::kAdd),
                    {{start.data(), start.size()},
                     {ids, vectors.rows * sizeof(std::int64_t)},
                     {vectors.data, vectors.rows * row_bytes(vectors.dim, vectors.dtype)}});
}

std::uint64_t log_void(storage::GroupLog& log, std::uint64_t sequence) {
  return log.append(static_cast<std::uint8_t>(Change::kVoid), {{&sequence, sizeof sequence}});
}

bool Replay::take(const storage::LogRecord& record) {
  switch (static_cast<Change>(record.type)) {
    case Change::kAdd:
      take_add(record);
      return true;
    case Change::kVoid:
      return take_void(record);
  }
  throw VersionError(name_ + ": record " + std::to_string(record.sequence) + " is of kind " +
                     std::to_string(record.type) + ", which this release does not know");
}

void Replay::take_add(const storage::LogRecord& record) {
  storage::ByteReader reader(record.payload, record.size, name_ + ": record " + std::to_string(record.sequence));
  const std::uint64_t stored_dtype = reader.u64();
  const auto dtype = static_cast<DType>(stored_dtype);
  const IndexOptions& options = store_.options();
  if (stored_dtype > 255 || (dtype != DType::kFloat32 && dtype != options.dtype)) {
    corrupt(record.sequence, "its vectors are not of the index's element type");
  }
  const std::size_t bytes = row_bytes(options.dim, dtype);
  const std::size_t rows = reader.count(sizeof(std::int64_t) + bytes);
  if (dtype != dtype_ || rows_.size() > kHeldBytes) finish();
  dtype_ = dtype;
  const std::size_t before = ids_.size();
  ids_.resize(before + rows);
  reader.bytes(ids_.data() + before, rows * sizeof(std::int64_t));
  rows_.resize(rows_.size() + rows * bytes);
  reader.bytes(rows_.data() + rows_.size() - rows * bytes, rows * bytes);
  reader.finish();
  last_rows_ = rows;
  last_sequence_ = record.sequence;
  ++records_;
}

bool Replay::take_void(const storage::LogRecord& record) {
  storage::ByteReader reader(record.payload, record.size, name_ + ": record " + std::to_string(record.sequence));
  const std::uint64_t failed = reader.u64();
  reader.finish();
  if (failed + 1 != record.sequence) corrupt(record.sequence, "it voids another record than the one before it");
  if (ids_.empty() || failed != last_sequence_) return false;
  ids_.resize(ids_.size() - last_rows_);
  rows_.resize(rows_.size() - last_rows_ * row_bytes(store_.options().dim, dtype_));
  last_rows_ = 0;
  --records_;
  return true;
}

void Replay::finish() {
  if (ids_.empty()) return;
  AddOptions options;
  options.threads = threads_;
  try {
    store_.add({rows_.data(), ids_.size(), store_.options().dim, dtype_}, ids_.data(), options);
  } catch (const InvalidArgument& error) {
    corrupt(last_sequence_, std::string("it cannot be made: ") + error.what());
  }
  vectors_ += ids_.size();
  ids_.clear();
  rows_.clear();
}

void Replay::corrupt(std::uint64_t sequence, const std::string& what) const {
  throw CorruptIndexError(name_ + ": record " + std::to_string(sequence) + ": " + what);
}

}  // namespace hopspan::durable
