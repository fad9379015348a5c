// What an index can be behind hopspan::Index, whose methods these are: wholly in memory or mapped (Store), or read from
// its file as searches need it (DiskIndex).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "hopspan/index.h"
#include "storage/env.h"

namespace hopspan::index {

class Body {
 public:
  Body() = default;
  virtual ~Body() = default;
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;

  virtual void save(storage::Env& env, const std::filesystem::path& path) const = 0;
  virtual std::vector<std::byte> to_bytes() const = 0;
  virtual std::vector<std::int64_t> add(const MatrixView& vectors, const std::int64_t* ids,
                                        const AddOptions& options) = 0;
  virtual std::size_t remove(const std::int64_t* ids, std::size_t count, const AddOptions& options) = 0;
  virtual void search(const MatrixView& queries, const SearchOptions& options, std::int64_t* ids,
                      float* distances) const = 0;
  virtual void get(const std::int64_t* ids, std::size_t count, void* out) const = 0;
  virtual bool contains(std::int64_t id) const = 0;
  virtual std::size_t size() const noexcept = 0;
  virtual std::size_t row_bytes() const noexcept = 0;
  virtual const IndexOptions& options() const noexcept = 0;
  virtual Stats stats() const = 0;
  virtual CheckReport check(bool deep) const = 0;
  virtual std::vector<TunePoint> tune(const MatrixView& queries, const TuneOptions& options) = 0;
};

}  // namespace hopspan::index
