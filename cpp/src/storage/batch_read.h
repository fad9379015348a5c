// Many reads at once. Every batch of the process, whichever index or thread it comes from, goes through one bounded set
// of io_uring rings where the kernel allows that, and through the threads of core/threads.h where not.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/function_ref.h"
#include "storage/env.h"

namespace hopspan::storage {

struct Read {
  const RandomAccessFile* file;
  std::uint64_t offset;
  void* out;
  std::size_t size;
};

// Whether read i, the next one, may start now; it has its `out` then. Never false while none is under way.
using StartRead = core::FunctionRef<bool(std::size_t i)>;
// Read i has ended.
using ReadDone = core::FunctionRef<void(std::size_t i)>;

enum class ReadBackend { kThreads, kIoUring };

// select_backend of the environment variable HOPSPAN_IO; chosen once.
ReadBackend read_backend();

// The backend of that name ("threads", "io_uring"), or when it is null or empty io_uring where the kernel has it.
// Throws InvalidArgument for any other name and for what the kernel does not have.
ReadBackend select_backend(const char* forced);

const char* name(ReadBackend backend);

// Starts the reads, as many as may be under way at a time, and calls done(i) on this thread for each that has ended, in
// the order in which they end. `start`, which throws nothing, is called on this thread as well, for each read in turn.
// The first error, of a read as RandomAccessFile::read throws it or of `done`, is thrown when no read is under way any
// more. Returns the nanoseconds that this thread had nothing to do.
std::uint64_t read_batch(const Read* reads, std::size_t count, StartRead start, ReadDone done);

// The same by a given backend; kIoUring where the kernel lacks it, or has no ring to spare, is kThreads.
std::uint64_t read_batch(const Read* reads, std::size_t count, StartRead start, ReadDone done, ReadBackend backend);

}  // namespace hopspan::storage
