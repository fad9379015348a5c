// An index in full: the rows, their ids and an engine, of which each has the same number of slots whenever no call is
// changing them. A slot without an id was removed; once the engine has released it, it is used again before there are
// more, and storage is made compact when most slots are free.
//
// One change is made at a time, and nothing is saved or checked meanwhile. Searches go on beside it: they share a
// second lock, which a change holds alone only while it changes what they see.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "core/fair_mutex.h"
#include "hopspan/index.h"
#include "index/body.h"
#include "index/engine.h"
#include "index/id_map.h"
#include "index/meta.h"
#include "storage/container.h"
#include "storage/env.h"
#include "vectors/matrix.h"

namespace hopspan::index {

// The methods are those of hopspan::Index.
class Store : public Body {
 public:
  explicit Store(const IndexOptions& options);
  // verify: checks every byte and everything that the bytes claim.
  Store(std::shared_ptr<const storage::RandomAccessFile> file, bool verify);

  void save(storage::Env& env, const std::filesystem::path& path) const override;
  std::vector<std::byte> to_bytes() const override;

  std::vector<std::int64_t> add(const MatrixView& vectors, const std::int64_t* ids, const AddOptions& options) override;
  // As add, but vectors whose links take long to choose may stay pending: every search looks at each of them, until
  // they are linked.
  std::vector<std::int64_t> add_pending(const MatrixView& vectors, const std::int64_t* ids, const AddOptions& options);
  // So many pending vectors, in the order of their slots, are linked together, so that the graph does not depend on who
  // links them and when.
  static constexpr std::size_t kLinkedTogether = 512;
  std::size_t pending() const;
  // Links these when there are as many; returns whether there were.
  bool link_some(const AddOptions& options);
  void link_all(const AddOptions& options);
  std::size_t remove(const std::int64_t* ids, std::size_t count, const AddOptions& options) override;
  void search(const MatrixView& queries, const SearchOptions& options, std::int64_t* ids,
              float* distances) const override;
  void get(const std::int64_t* ids, std::size_t count, void* out) const override;
  bool contains(std::int64_t id) const override;
  std::size_t size() const noexcept override { return size_; }
  std::uint64_t next_id() const;  // that an unnumbered vector would get
  std::size_t row_bytes() const noexcept override {
    return vectors::RowFormat{options_.dim, options_.metric, options_.dtype}.element_bytes();
  }
  const IndexOptions& options() const noexcept override { return options_; }
  Stats stats() const override;
  CheckReport check(bool deep) const override;
  std::vector<TunePoint> tune(const MatrixView& queries, const TuneOptions& options) override;

 private:
  Store(const std::shared_ptr<const storage::ContainerReader>& reader, bool verify);
  Store(const std::shared_ptr<const storage::ContainerReader>& reader, const Meta& meta, bool verify);

  std::vector<std::int64_t> add_by(void (Engine::*take_in)(const Slots&, const Slots&, const AddOptions&),
                                   const MatrixView& vectors, const std::int64_t* ids, const AddOptions& options);
  void link_locked(const AddOptions& options);
  Slots choose_slots(std::size_t count) const;
  void take(const Slots& slots) noexcept;
  void reclaim(const Slots& released) noexcept;
  void compact() noexcept;
  void write(storage::WritableFile& file) const;
  std::uint64_t content_id(const storage::ByteWriter& meta) const;

  mutable core::FairMutex changing_;
  mutable core::FairMutex mutex_;  // taken after it
  const IndexOptions options_;
  std::atomic<std::size_t> size_{0};  // as the last change left it; read without the lock
  vectors::Matrix rows_;
  IdMap id_map_;
  std::unique_ptr<Engine> engine_;
  Slots free_;                                              // descending
  std::shared_ptr<const storage::ContainerReader> reader_;  // of the file that is mapped, if any
};

}  // namespace hopspan::index
