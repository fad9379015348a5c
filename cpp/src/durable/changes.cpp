#include "durable/changes.h"

#include <algorithm>

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

std::uint64_t log_remove(storage::GroupLog& log, const std::int64_t* ids, std::size_t count) {
  const std::uint64_t start = count;
  return log.append(static_cast<std::uint8_t>(Change::kRemove),
                    {{&start, sizeof start}, {ids, count * sizeof(std::int64_t)}});
}

std::uint64_t log_void(storage::GroupLog& log, std::uint64_t sequence) {
  return log.append(static_cast<std::uint8_t>(Change::kVoid), {{&sequence, sizeof sequence}});
}

bool Replay::take(const storage::LogRecord& record) {
  std::optional<Batch> batch;
  switch (static_cast<Change>(record.type)) {
    case Change::kAdd:
      batch = read_add(record);
      break;
    case Change::kRemove:
      batch = read_remove(record);
      break;
    case Change::kVoid:
      return take_void(record);
    default:
      throw VersionError(name_of(record) + " is of kind " + std::to_string(record.type) +
                         ", which this release does not know");
  }
  settle();
  latest_ = std::move(batch);
  return true;
}

Replay::Batch Replay::read_add(const storage::LogRecord& record) const {
  storage::ByteReader reader(record.payload, record.size, name_of(record));
  const std::uint64_t stored_dtype = reader.u64();
  const auto dtype = static_cast<DType>(stored_dtype);
  const IndexOptions& options = store_.options();
  if (stored_dtype > 255 || (dtype != DType::kFloat32 && dtype != options.dtype)) {
    corrupt(record.sequence, "its vectors are not of the index's element type");
  }
  const std::size_t bytes = row_bytes(options.dim, dtype);
  const std::size_t rows = reader.count(sizeof(std::int64_t) + bytes);
  Batch batch{Change::kAdd, record.sequence, dtype, std::vector<std::int64_t>(rows),
              std::vector<std::byte>(rows * bytes)};
  reader.bytes(batch.ids.data(), rows * sizeof(std::int64_t));
  reader.bytes(batch.rows.data(), batch.rows.size());
  reader.finish();
  return batch;
}

Replay::Batch Replay::read_remove(const storage::LogRecord& record) const {
  storage::ByteReader reader(record.payload, record.size, name_of(record));
  const std::size_t count = reader.count(sizeof(std::int64_t));
  Batch batch{Change::kRemove, record.sequence, DType::kFloat32, std::vector<std::int64_t>(count), {}};
  reader.bytes(batch.ids.data(), count * sizeof(std::int64_t));
  reader.finish();
  return batch;
}

bool Replay::take_void(const storage::LogRecord& record) {
  storage::ByteReader reader(record.payload, record.size, name_of(record));
  const std::uint64_t failed = reader.u64();
  reader.finish();
  if (failed + 1 != record.sequence) corrupt(record.sequence, "it voids another record than the one before it");
  const bool was_held_back = latest_.has_value();
  latest_.reset();
  return was_held_back;
}

// The latest record stands.
void Replay::settle() {
  if (!latest_) return;
  ++records_;
  if (held_ && joins_held(*latest_)) {
    held_->sequence = latest_->sequence;
    held_->ids.insert(held_->ids.end(), latest_->ids.begin(), latest_->ids.end());
    held_->rows.insert(held_->rows.end(), latest_->rows.begin(), latest_->rows.end());
  } else {
    make_held();
    held_ = latest_;
  }
  if (latest_->change == Change::kAdd) held_ids_.insert(latest_->ids.begin(), latest_->ids.end());
  latest_.reset();
}

bool Replay::joins_held(const Batch& batch) const {
  if (batch.change != held_->change || batch.dtype != held_->dtype) return false;
  if (held_->rows.size() + held_->ids.size() * sizeof(std::int64_t) > kHeldBytes) return false;
  return std::none_of(batch.ids.begin(), batch.ids.end(), [this](std::int64_t id) { return held_ids_.count(id) != 0; });
}

void Replay::make_held() {
  if (!held_) return;
  AddOptions options;
  options.threads = threads_;
  try {
    if (held_->change == Change::kRemove) {
      store_.remove(held_->ids.data(), held_->ids.size(), options);
    } else {
      store_.add_pending({held_->rows.data(), held_->ids.size(), store_.options().dim, held_->dtype}, held_->ids.data(),
                         options);
      vectors_ += held_->ids.size();
    }
  } catch (const InvalidArgument& error) {
    corrupt(held_->sequence, std::string("it cannot be made: ") + error.what());
  }
  held_.reset();
  held_ids_.clear();
}

void Replay::finish() {
  settle();
  make_held();
}

std::string Replay::name_of(const storage::LogRecord& record) const {
  return name_ + ": record " + std::to_string(record.sequence);
}

void Replay::corrupt(std::uint64_t sequence, const std::string& what) const {
  throw CorruptIndexError(name_ + ": record " + std::to_string(sequence) + ": " + what);
}

}  // namespace hopspan::durable
