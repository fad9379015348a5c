// A file system in memory that fails, or loses power, at a chosen operation. It keeps apart what the running system
// sees and what is durable: bytes become durable when their file is synced, names when their folder is. After a power
// cut it shows every state that a disk may be left in: what was not synced lost, torn, zero, or written out of order,
// and any selection of the names that were changed but not synced.
//
// The operations that change something are numbered from 0: create, extend, append, truncate, sync, close, rename,
// remove, create_folder, sync_dir. Files in a folder whose name was lost are lost with it; locks end with the power. A
// failed append has written half of its bytes. A failed sync has lost the bytes it was to make durable: a later one
// that succeeds does not bring them back.
#pragma once

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/buffer.h"
#include "hopspan/error.h"
#include "storage/env.h"

namespace hopspan::faults {

using Bytes = std::vector<std::byte>;

// Thrown by every operation from the power cut on. Not a std::exception: nothing may handle it as an error.
struct PowerCut {};

class FaultEnv final : public storage::Env {
 public:
  static constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();

  // The test's side.

  void cut_power_at(std::size_t operation) { cut_at_ = operation; }
  void fail_at(std::size_t operation, int code) { fail_at_ = operation, fail_code_ = code; }
  // The reads of opened files are numbered on their own.
  void fail_read_at(std::size_t read, int code) { fail_read_at_ = read, fail_code_ = code; }
  std::size_t operations() const { return operations_; }
  std::size_t reads() const { return reads_; }

  // A durable file.
  void put(const std::filesystem::path& path, Bytes bytes) {
    auto node = std::make_shared<Node>();
    node->live = node->durable = std::move(bytes);
    live_[key(path)] = durable_[key(path)] = node;
  }
  bool has(const std::filesystem::path& path) const { return live_.count(key(path)) != 0; }
  const Bytes& bytes(const std::filesystem::path& path) const { return live_.at(key(path))->live; }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& entry : live_) all.push_back(entry.first);
    return all;
  }

  // Calls see(FaultEnv&) with each state in which a power cut may leave the disk now.
  template <typename See>
  void for_each_survivor(See&& see) const {
    if (changes_.size() > 10) throw std::logic_error("too many unsynced names to try every selection");
    for (std::size_t selection = 0; selection < std::size_t{1} << changes_.size(); ++selection) {
      std::map<std::string, std::shared_ptr<Node>> names = durable_;
      for (std::size_t i = 0; i < changes_.size(); ++i) {
        if (selection >> i & 1) changes_[i].apply(names);
      }
      for (const Loss loss : {Loss::kAll, Loss::kNone, Loss::kLastTorn, Loss::kAllButLast, Loss::kZero}) {
        FaultEnv survivor;
        for (const auto& [name, node] : names) {
          const std::string folder = std::filesystem::path(name).parent_path().string();
          if (made_here(folder) && names.count(folder) == 0) continue;
          survivor.put(name, node->survivor(loss));
          survivor.live_[name]->folder = node->folder;
        }
        see(survivor);
      }
    }
  }

  // The library's side.

  std::unique_ptr<storage::RandomAccessFile> open(const std::filesystem::path& path, bool map) override {
    return std::make_unique<File>(*this, key(path), find(path)->live, map);
  }

  std::unique_ptr<storage::WritableFile> create(const std::filesystem::path& path) override {
    step(path, "create");
    if (has(path)) throw IoError(EEXIST, path.u8string(), "create");
    auto node = std::make_shared<Node>();
    live_[key(path)] = node;
    changes_.push_back({"", key(path), node});
    return std::make_unique<Writer>(*this, key(path), node);
  }

  std::unique_ptr<storage::WritableFile> extend(const std::filesystem::path& path) override {
    step(path, "open");
    return std::make_unique<Writer>(*this, key(path), find(path));
  }

  void rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
    step(to, "replace");
    changes_.push_back({key(from), key(to), find(from)});
    changes_.back().apply(live_);
  }

  void remove(const std::filesystem::path& path) override {
    step(path, "remove");
    find(path);
    changes_.push_back({key(path), "", nullptr});
    changes_.back().apply(live_);
  }

  void sync_dir(const std::filesystem::path& folder) override {
    step(folder, "sync");
    const std::filesystem::path synced = std::filesystem::path(key(folder / "name")).parent_path();
    const auto elsewhere = [&](const Change& change) { return change.folder() != synced; };
    const auto kept = std::stable_partition(changes_.begin(), changes_.end(), elsewhere);
    for (auto change = kept; change != changes_.end(); ++change) change->apply(durable_);
    changes_.erase(kept, changes_.end());
  }

  void create_folder(const std::filesystem::path& path) override {
    step(path, "create");
    if (kind(path) != storage::FileKind::kMissing) throw IoError(EEXIST, path.u8string(), "create");
    auto node = std::make_shared<Node>();
    node->folder = true;
    live_[key(path)] = node;
    changes_.push_back({"", key(path), node});
  }

  std::vector<std::string> list(const std::filesystem::path& folder) override {
    std::vector<std::string> found;
    for (const auto& entry : live_) {
      const std::filesystem::path path(entry.first);
      if (path.parent_path() == key(folder)) found.push_back(path.filename().string());
    }
    return found;
  }

  std::unique_ptr<storage::FileLock> lock(const std::filesystem::path& path) override {
    if (!locks_.insert(key(path)).second) return nullptr;
    return std::make_unique<Lock>(*this, key(path));
  }

  storage::FileKind kind(const std::filesystem::path& path) override {
    if (has(path)) return live_.at(key(path))->folder ? storage::FileKind::kFolder : storage::FileKind::kRegular;
    return list(path).empty() ? storage::FileKind::kMissing : storage::FileKind::kFolder;
  }

 private:
  enum class Loss { kAll, kNone, kLastTorn, kAllButLast, kZero };

  // Bytes at an offset; without any, the end of the file.
  struct Write {
    std::size_t offset;
    Bytes bytes;

    void apply(Bytes& to) const {
      if (bytes.empty() || to.size() < offset + bytes.size()) to.resize(offset + bytes.size());
      std::copy(bytes.begin(), bytes.end(), to.begin() + static_cast<std::ptrdiff_t>(offset));
    }
    Write half() const { return {offset, Bytes(bytes.begin(), bytes.begin() + bytes.size() / 2)}; }
  };

  struct Node {
    Bytes live;
    Bytes durable;
    std::vector<Write> unsynced;
    bool folder = false;

    Bytes survivor(Loss loss) const {
      Bytes out = durable;
      if (loss == Loss::kZero) out.resize(std::max(out.size(), live.size()));
      for (std::size_t i = 0; i < unsynced.size(); ++i) {
        const bool last = i + 1 == unsynced.size();
        if (loss == Loss::kNone || (loss == Loss::kAllButLast && last) || (loss == Loss::kLastTorn && !last)) {
          unsynced[i].apply(out);
        } else if (loss == Loss::kLastTorn) {
          unsynced[i].half().apply(out);
        }
      }
      return out;
    }
  };

  // `from` goes away and `to` leads to the node; either may be empty.
  struct Change {
    std::string from;
    std::string to;
    std::shared_ptr<Node> node;

    void apply(std::map<std::string, std::shared_ptr<Node>>& names) const {
      if (!from.empty()) names.erase(from);
      if (!to.empty()) names[to] = node;
    }
    std::filesystem::path folder() const { return std::filesystem::path(to.empty() ? from : to).parent_path(); }
  };

  class File final : public storage::RandomAccessFile {
   public:
    File(FaultEnv& env, std::string name, const Bytes& bytes, bool map)
        : RandomAccessFile(std::move(name)), env_(env), bytes_(bytes.size()), map_(map) {
      if (!bytes.empty()) std::memcpy(bytes_.data(), bytes.data(), bytes.size());
    }
    std::uint64_t size() const noexcept override { return bytes_.size(); }
    const std::byte* map() const noexcept override { return map_ ? bytes_.data() : nullptr; }
    void read(std::uint64_t offset, void* out, std::size_t n) const override {
      if (env_.reads_++ == env_.fail_read_at_) throw IoError(env_.fail_code_, name(), "read");
      storage::MemoryFile(name(), bytes_.data(), bytes_.size()).read(offset, out, n);
    }

   private:
    FaultEnv& env_;
    core::Buffer bytes_;
    bool map_;
  };

  class Writer final : public storage::WritableFile {
   public:
    Writer(FaultEnv& env, std::string name, std::shared_ptr<Node> node)
        : env_(env), name_(std::move(name)), node_(std::move(node)) {}

    void append(const void* data, std::size_t n) override {
      try {
        env_.step(name_, "write");
      } catch (const IoError&) {
        put(data, n / 2);
        throw;
      }
      put(data, n);
    }
    void sync() override {
      const std::vector<Write> writes = std::exchange(node_->unsynced, {});
      try {
        env_.step(name_, "sync");
      } catch (const PowerCut&) {
        node_->unsynced = writes;
        throw;
      }
      for (const Write& write : writes) write.apply(node_->durable);
    }
    void truncate(std::uint64_t size) override {
      env_.step(name_, "truncate");
      node_->live.resize(static_cast<std::size_t>(size));
      node_->unsynced.push_back({node_->live.size(), {}});
    }
    void close() override { env_.step(name_, "close"); }

   private:
    void put(const void* data, std::size_t n) {
      if (n == 0) return;
      const std::byte* from = static_cast<const std::byte*>(data);
      node_->unsynced.push_back({node_->live.size(), Bytes(from, from + n)});
      node_->unsynced.back().apply(node_->live);
    }

    FaultEnv& env_;
    std::string name_;
    std::shared_ptr<Node> node_;
  };

  class Lock final : public storage::FileLock {
   public:
    Lock(FaultEnv& env, std::string name) : env_(env), name_(std::move(name)) {}
    ~Lock() override { release(); }
    bool is_mine() const noexcept override { return true; }
    void release() noexcept override {
      if (std::exchange(held_, false)) env_.locks_.erase(name_);
    }

   private:
    FaultEnv& env_;
    std::string name_;
    bool held_ = true;
  };

  static std::string key(const std::filesystem::path& path) { return ("." / path).lexically_normal().string(); }

  // Whether create_folder made it and it is not durable yet.
  bool made_here(const std::string& folder) const {
    const auto entry = live_.find(folder);
    return entry != live_.end() && entry->second->folder && durable_.count(folder) == 0;
  }

  std::shared_ptr<Node> find(const std::filesystem::path& path) const {
    const auto entry = live_.find(key(path));
    if (entry == live_.end()) throw IoError(ENOENT, path.u8string(), "open");
    return entry->second;
  }

  void step(const std::filesystem::path& path, const char* action) {
    if (operations_ >= cut_at_) throw PowerCut();
    if (operations_++ == fail_at_) throw IoError(fail_code_, path.u8string(), action);
  }

  std::map<std::string, std::shared_ptr<Node>> live_;
  std::map<std::string, std::shared_ptr<Node>> durable_;
  std::set<std::string> locks_;
  std::vector<Change> changes_;  // in live_, not yet in durable_
  std::size_t operations_ = 0;
  std::atomic<std::size_t> reads_{0};
  std::size_t cut_at_ = kNever;
  std::size_t fail_at_ = kNever;
  std::size_t fail_read_at_ = kNever;
  int fail_code_ = 0;
};

// Runs body(env) on a disk that prepare(env) made, with the power cut before operation 0, then before operation 1, and
// so on until it comes to its end, and calls check(survivor, done) for every state the disk may then be in; `done` says
// that the body had returned. Returns the number of states.
template <typename Prepare, typename Body, typename Check>
std::size_t for_each_power_cut(Prepare&& prepare, Body&& body, Check&& check) {
  std::size_t states = 0;
  bool done = false;
  for (std::size_t cut = 0; !done; ++cut) {
    FaultEnv env;
    prepare(env);
    env.cut_power_at(cut);
    try {
      body(env);
      done = true;
    } catch (const PowerCut&) {
    }
    env.for_each_survivor([&](FaultEnv& survivor) {
      check(survivor, done);
      ++states;
    });
  }
  return states;
}

// Runs body(env) with operation 0 failing, then operation 1, and so on until none is left to fail, and calls
// check(env, operation) after each run; the body must let the IoError out. Returns the number of operations.
template <typename Prepare, typename Body, typename Check>
std::size_t for_each_error(int code, Prepare&& prepare, Body&& body, Check&& check) {
  for (std::size_t operation = 0;; ++operation) {
    FaultEnv env;
    prepare(env);
    env.fail_at(operation, code);
    try {
      body(env);
      if (env.operations() <= operation) return operation;
      throw std::logic_error("operation " + std::to_string(operation) + " failed and nothing was thrown");
    } catch (const IoError& error) {
      if (error.code() != code) throw;
    }
    check(env, operation);
  }
}

}  // namespace hopspan::faults
