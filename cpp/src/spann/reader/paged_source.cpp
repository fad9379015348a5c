#include "spann/reader/paged_source.h"

#include <algorithm>
#include <utility>

#include "hopspan/error.h"
#include "storage/container_format.h"

namespace hopspan::spann::reader {
namespace {

using pages::kPageBytes;

constexpr std::uint64_t kRunPages = 16;  // a longer run would keep its first strings waiting for its last

[[noreturn]] void refuse_sizes(const storage::ContainerReader& reader, storage::Tag tag, std::uint64_t found,
                               std::uint64_t expected) {
  throw CorruptIndexError(reader.file().name() + ": section " + tag.text() + " has " + std::to_string(found) +
                          " pages, not " + std::to_string(expected));
}

}  // namespace

void Window::reset(std::size_t pages) {
  taken_.assign(std::max(pages, taken_.size()), false);
  const std::size_t bytes = (taken_.size() + 1) * kPageBytes;
  if (buffer_.size() < bytes) buffer_ = core::Buffer(bytes);
}

std::byte* Window::page(std::size_t i) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(buffer_.data());
  return buffer_.data() + (kPageBytes - address % kPageBytes) % kPageBytes + i * kPageBytes;
}

std::byte* Window::take(std::size_t pages) {
  std::size_t free = 0;
  for (std::size_t i = 0; i < taken_.size(); ++i) {
    free = taken_[i] ? 0 : free + 1;
    if (free != pages) continue;
    const std::size_t first = i + 1 - pages;
    std::fill_n(taken_.begin() + static_cast<std::ptrdiff_t>(first), pages, true);
    return page(first);
  }
  return nullptr;
}

void Window::give_back(const std::byte* first, std::size_t pages) {
  const std::size_t i = static_cast<std::size_t>(first - page(0)) / kPageBytes;
  std::fill_n(taken_.begin() + static_cast<std::ptrdiff_t>(i), pages, false);
}

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
  make_runs(*scratch, arrived);
  if (scratch->runs.empty()) return;
  make_reads(*scratch, cost);
  ++cost.round_trips;
  std::vector<storage::Read>& reads = scratch->reads;
  const auto start = [&](std::size_t i) {
    reads[i].out = scratch->window.take(scratch->runs[i].pages());
    return reads[i].out != nullptr;
  };
  const auto done = [&](std::size_t i) {
    const Run& run = scratch->runs[i];
    const std::byte* const room = static_cast<const std::byte*>(reads[i].out);
    check(*scratch, run, room);
    for (std::size_t w = run.wanted_begin; w < run.wanted_end; ++w) {
      const Wanted& string = wanted[w];
      arrived(string.place, room + (string.offset - run.first * kPageBytes), string.bytes);
    }
    scratch->window.give_back(room, run.pages());
  };
  cost.waiting_ns += storage::read_batch(reads.data(), reads.size(), start, done);
}

// Runs of what has to be read; what is in the cache, or empty, arrives now.
void PagedStrings::make_runs(Scratch& scratch, ByteSource::Arrived arrived) const {
  std::vector<Run>& runs = scratch.runs;
  runs.clear();
  for (std::size_t w = 0; w < scratch.wanted.size(); ++w) {
    const Wanted& wanted = scratch.wanted[w];
    const std::uint64_t first = wanted.first_page();
    if (wanted.bytes == 0) {
      arrived(wanted.place, nullptr, 0);
      continue;
    }
    if (cache_.enabled()) {
      const std::size_t pages = static_cast<std::size_t>(wanted.end_page() - first);
      scratch.window.reset(pages);
      std::byte* const room = scratch.window.take(pages);
      if (cache_.copy(first, wanted.end_page(), room)) {
        arrived(wanted.place, room + wanted.offset % kPageBytes, wanted.bytes);
        continue;
      }
    }
    const bool extends = !runs.empty() && runs.back().wanted_end == w && first <= runs.back().end &&
                         wanted.end_page() - runs.back().first <= kRunPages;
    if (!extends) runs.push_back({first, first, w, w});
    runs.back().wanted_end = w + 1;
    runs.back().end = std::max(runs.back().end, wanted.end_page());
  }
}

void PagedStrings::make_reads(Scratch& scratch, FetchCost& cost) const {
  scratch.reads.clear();
  std::size_t pages = 0, longest = 0;
  for (const Run& run : scratch.runs) {
    scratch.reads.push_back({&reader_->file(), start_ + run.first * kPageBytes, nullptr, run.pages() * kPageBytes});
    pages += run.pages();
    longest = std::max(longest, run.pages());
  }
  cost.pages += pages;
  cost.bytes += pages * kPageBytes;
  scratch.window.reset(std::max(longest, std::min(pages, kWindowPages)));
}

// Every page of a run belongs to a string that is wanted.
void PagedStrings::check(const Scratch& scratch, const Run& run, const std::byte* room) const {
  std::uint64_t page = run.first;
  for (std::size_t w = run.wanted_begin; w < run.wanted_end; ++w) {
    const Wanted& wanted = scratch.wanted[w];
    for (; page < wanted.end_page(); ++page) {
      check_page(page, wanted.number, room + (page - run.first) * kPageBytes);
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
