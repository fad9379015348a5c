#include "storage/batch_read.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/threads.h"
#include "storage/io_uring.h"

namespace hopspan::storage {
namespace {

constexpr std::size_t kReadThreads = 16;  // they wait for the device, not for a processor

using Clock = std::chrono::steady_clock;

std::uint64_t nanoseconds_since(Clock::time_point start) {
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(Clock::now() - start).count());
}

// The caller reads like the helpers and, between its reads, works off what has ended.
std::uint64_t read_at_once(const Read* reads, std::size_t count, ReadDone done) {
  std::mutex mutex;
  std::vector<std::size_t> ended;
  ended.reserve(count);
  std::size_t worked_off = 0;
  std::uint64_t working = 0;
  const auto work_off = [&] {
    const Clock::time_point start = Clock::now();
    for (;; ++worked_off) {
      std::size_t next;
      {
        const std::lock_guard<std::mutex> lock(mutex);
        if (worked_off == ended.size()) break;
        next = ended[worked_off];
      }
      done(next);
    }
    working += nanoseconds_since(start);
  };
  const Clock::time_point start = Clock::now();
  core::parallel_for(count, 1, kReadThreads, {}, [&](std::size_t i, std::size_t, std::size_t worker) {
    reads[i].file->read(reads[i].offset, reads[i].out, reads[i].size);
    {
      const std::lock_guard<std::mutex> lock(mutex);
      ended.push_back(i);
    }
    if (worker == 0) work_off();
  });
  work_off();
  return nanoseconds_since(start) - working;
}

// As many as may start, and when all of them have ended the next ones.
std::uint64_t read_by_threads(const Read* reads, std::size_t count, StartRead start, ReadDone done) {
  std::uint64_t waited = 0;
  for (std::size_t first = 0, end = 0; first < count; first = end) {
    while (end < count && start(end)) ++end;
    waited += read_at_once(reads + first, end - first, [&](std::size_t i) { done(first + i); });
  }
  return waited;
}

bool all_have_descriptors(const Read* reads, std::size_t count) {
  return std::all_of(reads, reads + count, [](const Read& read) { return read.file->descriptor() >= 0; });
}

}  // namespace

ReadBackend read_backend() {
  static const ReadBackend backend = select_backend(std::getenv("HOPSPAN_IO"));
  return backend;
}

ReadBackend select_backend(const char* forced) {
  if (forced == nullptr || *forced == '\0') return io_uring_works() ? ReadBackend::kIoUring : ReadBackend::kThreads;
  for (const ReadBackend backend : {ReadBackend::kThreads, ReadBackend::kIoUring}) {
    if (std::strcmp(forced, name(backend)) != 0) continue;
    if (backend == ReadBackend::kIoUring && !io_uring_works()) {
      throw InvalidArgument("HOPSPAN_IO is io_uring, which this system does not allow");
    }
    return backend;
  }
  throw InvalidArgument(std::string("HOPSPAN_IO must be threads or io_uring, not '") + forced + "'");
}

const char* name(ReadBackend backend) { return backend == ReadBackend::kIoUring ? "io_uring" : "threads"; }

std::uint64_t read_batch(const Read* reads, std::size_t count, StartRead start, ReadDone done) {
  return read_batch(reads, count, start, done, read_backend());
}

std::uint64_t read_batch(const Read* reads, std::size_t count, StartRead start, ReadDone done, ReadBackend backend) {
  if (count > 1 && backend == ReadBackend::kIoUring && all_have_descriptors(reads, count)) {
    if (const std::optional<std::uint64_t> waited = read_by_io_uring(reads, count, start, done)) return *waited;
  }
  return read_by_threads(reads, count, start, done);
}

}  // namespace hopspan::storage
