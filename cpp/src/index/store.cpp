#include "index/store.h"

#include <algorithm>
#include <functional>
#include <mutex>
#include <new>
#include <numeric>
#include <optional>
#include <shared_mutex>
#include <string>
#include <utility>

#include "core/checked.h"
#include "core/crc32c.h"
#include "core/random.h"
#include "hnsw/graph.h"
#include "index/fitting.h"
#include "index/flat_engine.h"
#include "index/hnsw_engine.h"
#include "index/search_options.h"
#include "index/spann_engine.h"
#include "storage/atomic_file.h"
#include "vectors/query.h"

namespace hopspan::index {
namespace {

vectors::RowFormat format_of(const IndexOptions& options) {
  check_options(options);
  return {options.dim, options.metric, options.dtype};
}

std::unique_ptr<Engine> make_engine(const IndexOptions& options, const vectors::Matrix& rows, const IdMap& id_map,
                                    core::FairMutex& mutex) {
  if (options.kind == Kind::kFlat) return std::make_unique<FlatEngine>(rows, id_map);
  if (options.kind == Kind::kSpann) return std::make_unique<SpannEngine>(options, rows, id_map);
  return std::make_unique<HnswEngine>(options, rows, id_map, mutex);
}

void check_room(std::size_t size, std::size_t more) {
  if (more <= hnsw::kMaxNodes - size) return;
  throw InvalidArgument("an index holds at most " + std::to_string(hnsw::kMaxNodes) + " vectors; it has " +
                        std::to_string(size) + " and " + std::to_string(more) + " are to be added");
}

// Looked at before anything is mapped or copied.
void check_section_size(const storage::ContainerReader& reader, storage::Tag tag, const Meta& meta,
                        std::size_t element_bytes) {
  const std::uint64_t expected = core::checked_mul(meta.size, element_bytes);
  if (reader.size(tag) == expected) return;
  throw CorruptIndexError("section " + tag.text() + " has " + std::to_string(reader.size(tag)) + " bytes, not " +
                          std::to_string(expected) + " for " + std::to_string(meta.size) + " vectors");
}

vectors::Matrix load_rows(const storage::ContainerReader& reader, const Meta& meta) {
  vectors::RowFormat format = format_of(meta.options);
  format.bytes = meta.bytes;
  check_section_size(reader, "VECS", meta, format.row_bytes());
  return vectors::Matrix(format, reader.array<std::byte>("VECS", false));
}

std::shared_ptr<const storage::RandomAccessFile> file_of(std::shared_ptr<const storage::ContainerReader> reader) {
  const storage::RandomAccessFile& file = reader->file();
  return {std::move(reader), &file};
}

IdMap load_ids(const storage::ContainerReader& reader, const Meta& meta) {
  if (!meta.explicit_ids) return IdMap(meta.size);
  check_section_size(reader, "IDS ", meta, sizeof(std::int64_t));
  return IdMap(reader.array<std::int64_t>("IDS ", false), meta.size - meta.removed, meta.next_id);
}

}  // namespace

Store::Store(const IndexOptions& options)
    : options_(options), rows_(format_of(options)), engine_(make_engine(options_, rows_, id_map_, mutex_)) {}

Store::Store(std::shared_ptr<const storage::RandomAccessFile> file, bool verify)
    : Store(std::make_shared<const storage::ContainerReader>(std::move(file)), verify) {}

Store::Store(const std::shared_ptr<const storage::ContainerReader>& reader, bool verify)
    : Store(reader, load_meta(*reader), verify) {}

Store::Store(const std::shared_ptr<const storage::ContainerReader>& reader, const Meta& meta, bool verify)
    : options_(meta.options),
      size_(meta.size - meta.removed),
      rows_(load_rows(*reader, meta)),
      id_map_(load_ids(*reader, meta)),
      engine_(make_engine(options_, rows_, id_map_, mutex_)) {
  const bool mapped = reader->file().map() != nullptr;
  if (mapped && verify) reader->verify();
  if (meta.removed != 0) id_map_.check_count();
  engine_->load(*reader, verify);
  if (verify) {
    rows_.check();
    id_map_.check();
  }
  if (mapped) reader_ = reader;
  if (belong_on_disk(options_, rows_.format(), rows_.size())) {
    if (mapped) {
      rows_.read_from(file_of(reader), reader->find("VECS").offset);
    } else {
      rows_ = rows_.spilled();
    }
    rows_.forget();
  }
  free_ = engine_->released();
  std::reverse(free_.begin(), free_.end());
}

void Store::save(storage::Env& env, const std::filesystem::path& path) const {
  const std::shared_lock<core::FairMutex> lock(changing_);
  storage::atomic_save(env, path, [this](storage::WritableFile& file) { write(file); });
  rows_.forget();
}

std::vector<std::byte> Store::to_bytes() const {
  const std::shared_lock<core::FairMutex> lock(changing_);
  std::vector<std::byte> bytes;
  storage::MemoryWriter writer(bytes);
  write(writer);
  rows_.forget();
  return bytes;
}

void Store::write(storage::WritableFile& file) const {
  storage::ByteWriter meta;
  const std::size_t removed = rows_.size() - id_map_.live();
  write_meta({options_, rows_.size(), id_map_.next_id(), !id_map_.identity(), removed,
              rows_.format().bytes && rows_.size() != 0},
             meta);
  storage::ContainerWriter writer(file, content_id(meta));
  writer.write("META", meta.data(), meta.size());
  writer.write("VECS", rows_.data(), rows_.rows().size());
  if (!id_map_.identity()) writer.write("IDS ", id_map_.ids().data(), id_map_.size() * sizeof(std::int64_t));
  engine_->save(writer);
  writer.finish();
}

// A hash of everything but the engine, which follows from it.
std::uint64_t Store::content_id(const storage::ByteWriter& meta) const {
  const std::uint32_t options = core::crc32c(meta.data(), meta.size());
  const std::uint32_t rows = core::crc32c(rows_.data(), rows_.rows().size());
  const std::uint32_t ids = core::crc32c(id_map_.ids().data(), id_map_.ids().size() * sizeof(std::int64_t), options);
  return core::random_u64(std::uint64_t{ids} << 32 | rows, options);
}

std::vector<std::int64_t> Store::add(const MatrixView& vectors, const std::int64_t* ids, const AddOptions& options) {
  const std::lock_guard<core::FairMutex> change(changing_);
  const std::lock_guard<core::FairMutex> lock(mutex_);
  link_locked({options.threads, {}});
  return add_by(&Engine::insert, vectors, ids, options);
}

std::vector<std::int64_t> Store::add_pending(const MatrixView& vectors, const std::int64_t* ids,
                                             const AddOptions& options) {
  const std::lock_guard<core::FairMutex> change(changing_);
  const std::lock_guard<core::FairMutex> lock(mutex_);
  return add_by(&Engine::defer, vectors, ids, options);
}

std::vector<std::int64_t> Store::add_by(void (Engine::*take_in)(const Slots&, const Slots&, const AddOptions&),
                                        const MatrixView& vectors, const std::int64_t* ids, const AddOptions& options) {
  const Slots leaving = id_map_.holders(ids, vectors.rows);
  check_room(rows_.size() - free_.size(), vectors.rows);
  const Slots slots = choose_slots(vectors.rows);
  std::vector<std::int64_t> added(vectors.rows);
  id_map_.prepare_assign(slots, ids);
  try {
    Fitting fitting(options_, rows_, *engine_, mutex_, vectors);
    vectors::Matrix replaced = rows_.write(vectors, slots);
    try {
      (*engine_.*take_in)(slots, leaving, options);
    } catch (...) {
      rows_.undo_write(slots, replaced);
      throw;
    }
    fitting.accept();
    rows_.forget();
  } catch (...) {
    id_map_.abandon();
    throw;
  }
  id_map_.assign(slots, ids);
  take(slots);
  for (std::size_t i = 0; i < added.size(); ++i) added[i] = id_map_.id(slots[i]);
  size_ = id_map_.live();
  if (leaving.empty()) return added;
  try {
    free_.reserve(rows_.size() - size_);
    reclaim(engine_->release(leaving, {options.threads, {}}));
  } catch (const std::bad_alloc&) {
    // The next change tries again.
  }
  return added;
}

std::size_t Store::remove(const std::int64_t* ids, std::size_t count, const AddOptions& options) {
  const std::lock_guard<core::FairMutex> change(changing_);
  const std::lock_guard<core::FairMutex> lock(mutex_);
  const Slots slots = id_map_.known(ids, count);
  if (slots.empty()) return 0;
  std::vector<std::int64_t> erased(slots.size());
  free_.reserve(rows_.size() - id_map_.live() + slots.size());
  id_map_.prepare_erase();
  id_map_.erase(slots, erased);
  Slots released;
  try {
    released = engine_->release(slots, options);
  } catch (...) {
    id_map_.restore(slots, erased);
    throw;
  }
  size_ = id_map_.live();
  reclaim(released);
  return slots.size();
}

std::size_t Store::pending() const {
  const std::shared_lock<core::FairMutex> lock(mutex_);
  return engine_->pending();
}

bool Store::link_some(const AddOptions& options) {
  const std::lock_guard<core::FairMutex> change(changing_);
  const std::lock_guard<core::FairMutex> lock(mutex_);
  if (engine_->pending() < kLinkedTogether) return false;
  engine_->link(kLinkedTogether, options);
  rows_.forget();
  return true;
}

void Store::link_all(const AddOptions& options) {
  const std::lock_guard<core::FairMutex> change(changing_);
  const std::lock_guard<core::FairMutex> lock(mutex_);
  link_locked(options);
}

void Store::link_locked(const AddOptions& options) {
  while (engine_->pending() != 0) engine_->link(kLinkedTogether, options);
  rows_.forget();
}

// Free ones first, then new ones; ascending.
Slots Store::choose_slots(std::size_t count) const {
  const std::size_t reused = std::min(count, free_.size());
  Slots slots(free_.rbegin(), free_.rbegin() + static_cast<std::ptrdiff_t>(reused));
  slots.resize(count);
  std::iota(slots.begin() + static_cast<std::ptrdiff_t>(reused), slots.end(), static_cast<std::uint32_t>(rows_.size()));
  return slots;
}

void Store::take(const Slots& slots) noexcept { free_.resize(free_.size() - std::min(free_.size(), slots.size())); }

// There is room for all of them.
void Store::reclaim(const Slots& released) noexcept {
  if (released.empty()) return;
  mutex_.aside([&] {
    free_.insert(free_.end(), released.begin(), released.end());
    std::sort(free_.begin(), free_.end(), std::greater<>());
  });
  if (free_.size() > rows_.size() / 2) compact();
}

void Store::compact() noexcept {
  try {
    Slots kept;
    for (std::uint32_t slot = 0; slot < rows_.size(); ++slot) {
      if (!std::binary_search(free_.begin(), free_.end(), slot, std::greater<>())) kept.push_back(slot);
    }
    std::optional<vectors::Matrix> rows;
    mutex_.aside([&] {
      rows = rows_.pick(kept);
      if (rows_.on_disk()) rows = rows->spilled();
      id_map_.prepare_keep(kept);
    });
    engine_->keep(kept);
    rows_ = std::move(*rows);
    id_map_.keep();
    Slots().swap(free_);
  } catch (const std::exception&) {  // no memory, or no room on disk
    id_map_.abandon();               // a later change tries again
  }
}

void Store::search(const MatrixView& queries, const SearchOptions& options, std::int64_t* ids, float* distances) const {
  check_search(options_.kind, options);
  vectors::check_queries(rows_.format(), queries);
  const std::shared_lock<core::FairMutex> lock(mutex_);
  engine_->search(queries, options, ids, distances);
}

void Store::get(const std::int64_t* ids, std::size_t count, void* out) const {
  const std::shared_lock<core::FairMutex> lock(mutex_);
  for (std::size_t i = 0; i < count; ++i) {
    const std::optional<std::uint32_t> slot = id_map_.find(ids[i]);
    if (!slot)
      throw InvalidArgument("id " + std::to_string(ids[i]) + " (row " + std::to_string(i) + ") is not in the index");
    rows_.copy_elements(*slot, static_cast<std::byte*>(out) + i * row_bytes());
  }
}

bool Store::contains(std::int64_t id) const {
  const std::shared_lock<core::FairMutex> lock(mutex_);
  return id_map_.find(id).has_value();
}

std::uint64_t Store::next_id() const {
  const std::shared_lock<core::FairMutex> lock(mutex_);
  return id_map_.next_id();
}

Stats Store::stats() const {
  const std::shared_lock<core::FairMutex> lock(changing_);
  Stats stats;
  stats.size = id_map_.live();
  stats.removed = rows_.size() - stats.size;
  stats.mapped = rows_.rows().mapped();
  stats.bytes.emplace_back(rows_.on_disk() ? "vectors_on_disk" : "vectors", rows_.rows().capacity_bytes());
  stats.bytes.emplace_back("ids", id_map_.bytes());
  engine_->describe(stats);
  return stats;
}

CheckReport Store::check(bool deep) const {
  const std::shared_lock<core::FairMutex> lock(changing_);
  if (reader_) reader_->verify();
  rows_.check();
  id_map_.check();
  CheckReport report;
  report.vectors = id_map_.live();
  engine_->check(deep, report);
  rows_.forget();
  return report;
}

std::vector<TunePoint> Store::tune(const MatrixView& queries, const TuneOptions& options) {
  check_tune(options, queries);
  if (queries.data != nullptr) vectors::check_queries(rows_.format(), queries);
  const std::lock_guard<core::FairMutex> change(changing_);
  const std::lock_guard<core::FairMutex> lock(mutex_);
  if (id_map_.live() == 0) throw InvalidArgument("an empty index cannot be tuned");
  link_locked({options.threads, {}});
  std::vector<TunePoint> points = engine_->tune(queries, options);
  rows_.forget();
  return points;
}

}  // namespace hopspan::index
