// What both ways to have a folder's index open share: the store in memory that answers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "durable/manifest.h"
#include "hopspan/durable.h"
#include "index/body.h"
#include "index/store.h"

namespace hopspan::durable {

class Opened : public index::Body {
 public:
  // threads: for making the changes of the log, and linking what these leave pending.
  Opened(std::filesystem::path folder, std::size_t threads) : folder_(std::move(folder)), threads_(threads) {}

  virtual void flush() = 0;
  virtual void compact() = 0;
  virtual bool refresh() = 0;
  virtual void close() = 0;
  virtual Recovery recovery() const = 0;

  void save(storage::Env& env, const std::filesystem::path& path) const override { linked()->save(env, path); }
  std::vector<std::byte> to_bytes() const override { return linked()->to_bytes(); }
  void search(const MatrixView& queries, const SearchOptions& options, std::int64_t* ids,
              float* distances) const override {
    store()->search(queries, options, ids, distances);
  }
  void get(const std::int64_t* ids, std::size_t count, void* out) const override { store()->get(ids, count, out); }
  bool contains(std::int64_t id) const override { return store()->contains(id); }
  std::size_t size() const noexcept override;
  std::size_t row_bytes() const noexcept override { return row_bytes_; }
  const IndexOptions& options() const noexcept override { return options_; }
  std::vector<TunePoint> tune(const MatrixView& queries, const TuneOptions& options) override {
    return store()->tune(queries, options);
  }

 protected:
  // Throws when it cannot be used: after close, or in a forked child.
  virtual void check_usable() const = 0;
  std::shared_ptr<index::Store> store() const;
  // Null closes it.
  void set_store(std::shared_ptr<index::Store> store);
  bool is_closed() const noexcept;
  void check_open() const;

  const std::filesystem::path folder_;
  const std::size_t threads_;

 private:
  std::shared_ptr<index::Store> linked() const;  // with nothing pending

  std::shared_ptr<index::Store> store_;  // by atomic_load and atomic_store
  IndexOptions options_;
  std::size_t row_bytes_ = 0;
};

}  // namespace hopspan::durable
