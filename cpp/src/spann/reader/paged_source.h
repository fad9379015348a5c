// Lists and rows as they lie in a file, read a batch at a time: neighbouring pages in one read, reads start as soon as
// there is room, every page checked before anyone sees it. A fetch holds at most kWindowPages of pages, or one string
// when that is longer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/array.h"
#include "core/buffer.h"
#include "core/spares.h"
#include "spann/list_source.h"
#include "spann/pages/format.h"
#include "spann/reader/page_cache.h"
#include "storage/batch_read.h"
#include "storage/container.h"

namespace hopspan::spann::reader {

inline constexpr std::size_t kWindowPages = 64;

// Pages of memory that reads take and give back; the first ones that are free are taken.
class Window {
 public:
  // Gets at least so many pages; all are free.
  void reset(std::size_t pages);
  // Null when there are not so many in a row.
  std::byte* take(std::size_t pages);
  void give_back(const std::byte* first, std::size_t pages);

 private:
  std::byte* page(std::size_t i) noexcept;

  core::Buffer buffer_;
  std::vector<bool> taken_;
};

// The pages of one region and how they are read. Safe to use from any number of threads.
class PagedStrings {
 public:
  // A string that is wanted: `bytes` from byte `offset` of the region on.
  struct Wanted {
    std::uint64_t offset;
    std::uint32_t bytes;
    std::uint32_t number;
    std::size_t place;

    std::uint64_t first_page() const noexcept { return offset / pages::kPageBytes; }
    std::uint64_t end_page() const noexcept { return pages::page_count(offset + bytes); }
  };

  // cache_bytes: of pages that are kept; 0 keeps none. Throws CorruptIndexError unless the sections' sizes agree.
  PagedStrings(std::shared_ptr<const storage::ContainerReader> reader, pages::Region region, std::size_t cache_bytes);

  std::uint64_t page_count() const noexcept { return checksums_.size(); }
  // Of what is always in memory, and of the cache.
  std::size_t resident_bytes() const noexcept { return checksums_.capacity_bytes() + cache_.capacity_bytes(); }

  // As ByteSource::fetch; locate(place) says what is wanted.
  void fetch(std::size_t count, core::FunctionRef<Wanted(std::size_t place)> locate, ByteSource::Arrived arrived,
             FetchCost& cost) const;

 private:
  // Pages [first, end) as one read; the strings [wanted_begin, wanted_end) lie in them.
  struct Run {
    std::uint64_t first;
    std::uint64_t end;
    std::size_t wanted_begin;
    std::size_t wanted_end;

    std::size_t pages() const noexcept { return static_cast<std::size_t>(end - first); }
  };
  struct Scratch {
    std::vector<Wanted> wanted;
    std::vector<Run> runs;
    std::vector<storage::Read> reads;
    Window window;
  };

  void make_runs(Scratch& scratch, ByteSource::Arrived arrived) const;
  void make_reads(Scratch& scratch, FetchCost& cost) const;
  void check(const Scratch& scratch, const Run& run, const std::byte* room) const;
  void check_page(std::uint64_t page, std::uint32_t number, const std::byte* data) const;

  std::shared_ptr<const storage::ContainerReader> reader_;
  pages::Region region_;
  std::uint64_t start_;  // of the region in the file
  core::Array<std::uint32_t> checksums_;
  mutable PageCache cache_;
  mutable core::Spares<Scratch> spares_;
};

class PagedLists final : public ListSource {
 public:
  PagedLists(std::shared_ptr<const storage::ContainerReader> reader, std::size_t cache_bytes);

  std::size_t size() const override { return first_pages_.size(); }
  void fetch(const std::uint32_t* numbers, std::size_t count, Arrived arrived, FetchCost& cost) const override;

  double mean_pages() const noexcept {
    return static_cast<double>(strings_.page_count()) / static_cast<double>(size());
  }
  std::uint32_t list_bytes(std::size_t list) const noexcept { return sizes_[list]; }
  std::size_t resident_bytes() const noexcept;

 private:
  core::Array<std::uint32_t> sizes_;
  std::vector<std::uint64_t> first_pages_;
  PagedStrings strings_;
};

class PagedRows final : public RowSource {
 public:
  PagedRows(std::shared_ptr<const storage::ContainerReader> reader, std::size_t row_bytes, std::size_t rows,
            std::size_t cache_bytes);

  std::size_t size() const override { return rows_; }
  void fetch(const std::uint32_t* numbers, std::size_t count, Arrived arrived, FetchCost& cost) const override;

  std::size_t resident_bytes() const noexcept { return strings_.resident_bytes(); }

 private:
  std::size_t row_bytes_;
  std::size_t rows_;
  pages::RowLayout layout_;
  PagedStrings strings_;
};

}  // namespace hopspan::spann::reader
