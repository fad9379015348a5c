// Where a search gets its lists and the rows to re-rank: the border between the algorithm and the storage of kind
// "spann".
//
// A list is a byte string: a header and blocks of 32 entries with their codes, slots and factors (spann/lists). The
// algorithm (clustering/, assign/, lists/, search) encodes and scans such strings and knows nothing about pages. The
// storage (pages/, reader/) keeps them under their numbers, checksummed, and brings many at once; it never looks
// inside.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/function_ref.h"

namespace hopspan::spann {

// What fetches have cost; a caller adds up over a search.
struct FetchCost {
  std::size_t fetched = 0;       // lists or rows
  std::size_t pages = 0;         // read from the device or the system's cache
  std::size_t bytes = 0;         // of these pages
  std::size_t round_trips = 0;   // batches that had to be waited for, one after the other
  std::uint64_t waiting_ns = 0;  // without work that could be done
};

// Byte strings under the numbers 0 .. size() - 1. Safe to use from any number of threads.
class ByteSource {
 public:
  // place: index in the array that was asked for. The bytes are at least 8-byte aligned and stay valid until the call
  // returns.
  using Arrived = core::FunctionRef<void(std::size_t place, const std::byte* data, std::size_t size)>;

  ByteSource() = default;
  virtual ~ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  virtual std::size_t size() const = 0;

  // Starts reading all of them at once and calls `arrived` on this thread, once for each, in the order in which they
  // come. Numbers are distinct and below size(). Throws CorruptIndexError naming the list when its bytes are damaged,
  // IoError when they cannot be read, and what `arrived` throws; never while a read is still under way.
  virtual void fetch(const std::uint32_t* numbers, std::size_t count, Arrived arrived, FetchCost& cost) const = 0;
};

// The lists.
class ListSource : public ByteSource {};

// The vectors at full precision, by slot: rows as in distance/kernels.h. An implementation may ask for neighbouring
// rows in one piece.
class RowSource : public ByteSource {};

}  // namespace hopspan::spann
