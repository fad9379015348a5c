#include "spann/reader/paged_source.h"

#include <algorithm>
#include <utility>

#include "hopspan/error.h"
#include "storage/container_format.h"

namespace hopspan::spann::reader {
namespace {

using pages::kPageBytes;

constexpr std::uint64_t kRunPages = 64;  // a longer run would keep its first strings waiting for its last

std::byte* align(core::Buffer& buffer) {
  const auto address = reinterpret_cast<std::uintptr_t>(buffer.data());
  return buffer.data() + (kPageBytes - address % kPageBytes) % kPageBytes;
}

[[noreturn]] void refuse_sizes(const storage::ContainerReader& reader, storage::Tag tag, std::uint64_t found,
                               std::uint64_t expected) {
  throw CorruptIndexError(reader.file().name() + ": section " + tag.text() + " has " + std::to_string(found) +
                          " pages, not " + std::to_string(expected));
}

}  // namespace

PagedStrings::PagedStrings(std::shared_ptr<const storage::ContainerReader> reader, pages::Region region,
                           std::size_t cache_bytes)
    : reader_(std::move(reader)),
      region_(region),
      start_(reader_->find(region.pages).offset),
      checksums_(reader_->array<std::uint32_t>(region.checksums, true)),
      cache_(cache_bytes) {
  const std::uint64_t bytes = reader_->size(region.pages);
  if (bytes % kPageBytes != 0 || bytes / kPageBytes != checksums_.size()) {
    refuse_sizes(*reader_, region.pages, pages::page_count(bytes), checksums_.size());
  }
}

void PagedStrings::fetch(std::size_t count, core::FunctionRef<Wanted(std::size_t place)> locate,
                         ByteSource::Arrived arrived, FetchCost& cost) const {
  const auto scratch = spares_.take();
  std::vector<Wanted>& wanted = scratch->wanted;
  wanted.clear();
  for (std::size_t place = 0; place < count; ++place) wanted.push_back(locate(place));
  std::sort(wanted.begin(), wanted.end(), [](const Wanted& a, const Wanted& b) { return a.offset < b.offset; });
  cost.fetched += count;
  for (std::size_t begin = 0, end; begin < count; begin = end) {
    std::uint64_t room = 0;
    for (end = begin; end < count; ++end) {
      const std::uint64_t more = wanted[end].end_page() - wanted[end].first_page();
      if (end != begin && room + more > kWindowPages) break;
      room += more;
    }
    const std::size_t bytes = (static_cast<std::size_t>(room) + 1) * kPageBytes;
    if (scratch->buffer.size() < bytes) scratch->buffer.resize(bytes);
    fetch_window(*scratch, begin, end, arrived, cost);
  }
}

void PagedStrings::fetch_window(Scratch& scratch, std::size_t begin, std::size_t end, ByteSource::Arrived arrived,
                                FetchCost& cost) const {
  make_runs(scratch, begin, end, arrived);
  if (scratch.runs.empty()) return;
  scratch.reads.clear();
  for (const Run& run : scratch.runs) {
    const std::size_t bytes = static_cast<std::size_t>(run.end - run.first) * kPageBytes;
    scratch.reads.push_back({&reader_->file(), start_ + run.first * kPageBytes, run.room, bytes});
    cost.pages += bytes / kPageBytes;
    cost.bytes += bytes;
  }
  ++cost.round_trips;
  cost.waiting_ns += storage::read_batch(scratch.reads.data(), scratch.reads.size(), [&](std::size_t i) {
    const Run& run = scratch.runs[i];
    check(scratch, run);
    for (std::size_t w = run.wanted_begin; w < run.wanted_end; ++w) {
      const Wanted& wanted = scratch.wanted[w];
      arrived(wanted.place, run.room + (wanted.offset - run.first * kPageBytes), wanted.bytes);
    }
  });
}

// Runs of what has to be read; what is in the cache, or empty, arrives now.
void PagedStrings::make_runs(Scratch& scratch, std::size_t begin, std::size_t end, ByteSource::Arrived arrived) const {
  std::vector<Run>& runs = scratch.runs;
  runs.clear();
  std::byte* room = align(scratch.buffer);
  for (std::size_t w = begin; w < end; ++w) {
    const Wanted& wanted = scratch.wanted[w];
    const std::uint64_t first = wanted.first_page();
    if (wanted.bytes == 0 || cache_.copy(first, wanted.end_page(), room)) {
      arrived(wanted.place, room + wanted.offset % kPageBytes, wanted.bytes);
      continue;
    }
    const bool extends = !runs.empty() && runs.back().wanted_end == w && first <= runs.back().end &&
                         runs.back().end - runs.back().first < kRunPages;
    if (!extends) runs.push_back({first, first, w, w, room});
    Run& run = runs.back();
    run.wanted_end = w + 1;
    run.end = std::max(run.end, wanted.end_page());
    room = run.room + (run.end - run.first) * kPageBytes;
  }
}

// Every page of a run belongs to a string that is wanted.
void PagedStrings::check(const Scratch& scratch, const Run& run) const {
  std::uint64_t page = run.first;
  for (std::size_t w = run.wanted_begin; w < run.wanted_end; ++w) {
    const Wanted& wanted = scratch.wanted[w];
    for (; page < wanted.end_page(); ++page) {
      check_page(page, wanted.number, run.room + (page - run.first) * kPageBytes);
    }
  }
}

void PagedStrings::check_page(std::uint64_t page, std::uint32_t number, const std::byte* data) const {
  const bool lists = region_.pages.value == pages::kLists.pages.value;
  const std::uint32_t sum = pages::page_checksum(reader_->file_id(), region_.pages, page, lists ? number : 0, data);
  if (!storage::checksums_match(checksums_[page], sum)) {
    throw CorruptIndexError(reader_->file().name() + ": " + (lists ? "list " : "vector ") + std::to_string(number) +
                            " is damaged in page " + std::to_string(page) + " of section " + region_.pages.text());
  }
  cache_.put(page, data);
}

PagedLists::PagedLists(std::shared_ptr<const storage::ContainerReader> reader, std::size_t cache_bytes)
    : sizes_(reader->array<std::uint32_t>(pages::kDirectory, true)), strings_(reader, pages::kLists, cache_bytes) {
  first_pages_.reserve(sizes_.size());
  std::uint64_t next = 0;
  for (std::size_t list = 0; list < sizes_.size(); ++list) {
    first_pages_.push_back(next);
    next += pages::page_count(sizes_[list]);
  }
  if (next != strings_.page_count()) refuse_sizes(*reader, pages::kLists.pages, strings_.page_count(), next);
}

void PagedLists::fetch(const std::uint32_t* numbers, std::size_t count, Arrived arrived, FetchCost& cost) const {
  const auto locate = [&](std::size_t place) {
    const std::uint32_t list = numbers[place];
    return PagedStrings::Wanted{first_pages_[list] * kPageBytes, sizes_[list], list, place};
  };
  strings_.fetch(count, locate, arrived, cost);
}

std::size_t PagedLists::resident_bytes() const noexcept {
  return sizes_.capacity_bytes() + first_pages_.capacity() * sizeof(std::uint64_t) + strings_.resident_bytes();
}

PagedRows::PagedRows(std::shared_ptr<const storage::ContainerReader> reader, std::size_t row_bytes, std::size_t rows,
                     std::size_t cache_bytes)
    : row_bytes_(row_bytes), rows_(rows), layout_(row_bytes), strings_(reader, pages::kRows, cache_bytes) {
  const std::uint64_t expected = layout_.pages(rows);
  if (strings_.page_count() != expected) refuse_sizes(*reader, pages::kRows.pages, strings_.page_count(), expected);
}

void PagedRows::fetch(const std::uint32_t* numbers, std::size_t count, Arrived arrived, FetchCost& cost) const {
  const auto locate = [&](std::size_t place) {
    const std::uint32_t row = numbers[place];
    return PagedStrings::Wanted{layout_.offset(row), static_cast<std::uint32_t>(row_bytes_), row, place};
  };
  strings_.fetch(count, locate, arrived, cost);
}

}  // namespace hopspan::spann::reader
