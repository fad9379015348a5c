// The one object that changes a folder's index. A change is logged before it is made, under one lock; the call waits
// for the log's sync outside of it, so that calls of other threads share the sync.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/function_ref.h"
#include "durable/background.h"
#include "durable/opened.h"
#include "storage/group_log.h"

namespace hopspan::durable {

class Writer final : public Opened {
 public:
  // How long a change may stay unsynced without OpenOptions::sync.
  static constexpr std::chrono::milliseconds kWindow{1000};

  // window: in place of kWindow; 0 leaves syncing to flush and close.
  Writer(storage::Env& env, const std::filesystem::path& folder, const OpenOptions& options,
         std::chrono::milliseconds window = kWindow);
  ~Writer() override;

  std::vector<std::int64_t> add(const MatrixView& vectors, const std::int64_t* ids, const AddOptions& options) override;
  std::size_t remove(const std::int64_t* ids, std::size_t count, const AddOptions& options) override;
  void flush() override;
  void compact() override;
  bool refresh() override;
  void close() override;
  Recovery recovery() const override { return recovery_; }
  Stats stats() const override;
  CheckReport check(bool deep) const override;

 private:
  void check_usable() const override;
  std::unique_ptr<storage::FileLock> enter(const std::optional<IndexOptions>& create);
  void create(const IndexOptions& options);
  void recover();
  void take_log(const storage::LogReader& found);
  std::shared_ptr<storage::GroupLog> log() const { return std::atomic_load(&log_); }

  void log_and_change(bool nothing, core::FunctionRef<std::uint64_t(storage::GroupLog&)> log_it,
                      core::FunctionRef<void()> change);
  void change_or_void(storage::GroupLog& log, std::uint64_t sequence, core::FunctionRef<void()> change);
  void link_when_due(std::size_t threads) noexcept;
  std::uint64_t compact_limit() const;
  void compact_when_due();
  void compact_locked();
  void commit(const Manifest& next);
  bool manifest_is_still_there() const noexcept;

  storage::Env& env_;
  const bool sync_;
  const double compact_share_;
  std::unique_ptr<storage::FileLock> lock_;
  Recovery recovery_;
  mutable std::mutex changing_;
  Manifest manifest_;
  std::uint64_t last_number_ = 0;             // of a file or manifest
  std::shared_ptr<storage::GroupLog> log_;    // by atomic_load and atomic_store
  std::uint64_t past_syncs_ = 0;              // of logs before this one
  std::atomic<std::uint64_t> compact_at_{0};  // bytes of the log
  std::string compaction_error_;
  std::shared_ptr<Background> flusher_;
  std::shared_ptr<Background> linker_;
};

}  // namespace hopspan::durable
