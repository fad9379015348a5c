// A folder's index as it is, and as it becomes with every refresh; takes no lock and changes nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>

#include "durable/background.h"
#include "durable/opened.h"
#include "storage/log.h"

namespace hopspan::durable {

class Reader final : public Opened {
 public:
  Reader(storage::Env& env, const std::filesystem::path& folder, std::size_t threads);

  std::vector<std::int64_t> add(const MatrixView& vectors, const std::int64_t* ids, const AddOptions& options) override;
  std::size_t remove(const std::int64_t* ids, std::size_t count, const AddOptions& options) override;
  void flush() override { refuse(); }
  void compact() override { refuse(); }
  bool refresh() override;
  void close() override;
  Recovery recovery() const override;
  Stats stats() const override;
  CheckReport check(bool deep) const override { return store()->check(deep); }

 private:
  void check_usable() const override;
  [[noreturn]] void refuse() const;
  void load();
  void load_latest();
  bool replay(storage::LogReader& log, index::Store& store, Recovery& found) const;
  void go_on_from(const Manifest& manifest, const storage::LogReader& log);
  bool follow(const Manifest& manifest, const std::shared_ptr<index::Store>& current);

  storage::Env& env_;
  mutable std::mutex refreshing_;
  Manifest manifest_;
  Recovery recovery_;
  std::uint64_t offset_ = 0;  // in the log: what has been taken over
  std::uint64_t next_sequence_ = 0;
  std::shared_ptr<Background> linker_;  // by atomic_load and atomic_store
};

}  // namespace hopspan::durable
