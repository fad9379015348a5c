// Copies of vectors grouped by list with files in place of memory: each file gets the copies of a range of lists, as
// few as fit into memory together, and is read as a whole later. The files go away with the object.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "core/buffer.h"
#include "core/function_ref.h"
#include "spann/assign/copies.h"
#include "storage/env.h"

namespace hopspan::spann::external {

class Groups {
 public:
  static constexpr std::size_t kMostGroups = 512;
  static constexpr std::size_t kWriteBytes = 16384;  // that a file's writes are collected to

  // The files are `prefix` with a number behind it, and replace what is there. group_bytes: how much of rows a group
  // may hold, but for a list that is longer by itself.
  Groups(storage::Env& env, std::filesystem::path prefix, std::size_t row_bytes, const Copies& copies,
         std::size_t group_bytes);
  Groups(const Groups&) = delete;
  Groups& operator=(const Groups&) = delete;
  ~Groups();

  std::size_t size() const noexcept { return first_lists_.size() - 1; }

  // Takes the vectors [first, first + count) as rows one after another; all of them come in ascending order.
  void add(std::size_t first, std::size_t count, const std::byte* rows);
  // When all vectors are in.
  void close();

  // The rows of one group's lists: those of list l, in the order of its copies, are `row_bytes` apart from rows(l) on.
  class Loaded {
   public:
    std::size_t first_list() const noexcept { return first_list_; }
    std::size_t end_list() const noexcept { return first_list_ + starts_.size() - 1; }
    const std::byte* rows(std::size_t list) const noexcept {
      return rows_.data() + starts_[list - first_list_] * row_bytes_;
    }

   private:
    friend class Groups;
    std::size_t first_list_ = 0;
    std::size_t row_bytes_ = 0;
    std::vector<std::size_t> starts_;
    core::Buffer rows_;
  };
  // Throws CorruptIndexError when the file does not hold what was written.
  Loaded load(std::size_t group) const;

 private:
  struct File {
    std::filesystem::path path;
    std::unique_ptr<storage::WritableFile> file;
    std::vector<std::byte> pending;
    std::uint32_t checksum = 0;
  };

  void plan(std::size_t group_bytes);
  void index_lists_of_vectors();
  void create_files(const std::filesystem::path& prefix);
  void flush(File& file);
  void remove_files() noexcept;

  storage::Env& env_;
  std::size_t row_bytes_;
  const Copies& copies_;
  std::vector<std::uint32_t> first_lists_;  // of each group, and the number of lists behind the last
  std::vector<std::uint32_t> starts_;       // of each vector in lists_
  std::vector<std::uint32_t> lists_;        // ascending for each vector
  std::vector<File> files_;
};

}  // namespace hopspan::spann::external
