// The library's one thread pool, shared by every index of the process and rebuilt after fork.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/function_ref.h"
#include "hopspan/options.h"

namespace hopspan::core {

// Processors that this process may run on (its affinity mask), at least 1.
std::size_t available_threads();

// Runs body(begin, end, worker) over [0, count) in pieces of at most `grain`, on up to `threads` threads (0: all
// available) of which the caller is worker 0; worker < the number of threads used. Pieces are handed out in ascending
// order. The caller calls `progress` between its pieces, at most every 50 ms, and once more at the end. The first
// exception, from body or progress, stops further pieces and is rethrown here after every started piece has ended. With
// one thread, or one piece, nothing but the caller runs and nothing is allocated or locked.
void parallel_for(std::size_t count, std::size_t grain, std::size_t threads, const Progress& progress,
                  FunctionRef<void(std::size_t begin, std::size_t end, std::size_t worker)> body);

// How many forks led to this process: threads that were started before the last of them are not here.
std::uint64_t forks() noexcept;

// How many forks this process and those that it came from have made.
std::uint64_t forks_around() noexcept;

// The number of workers that parallel_for would use.
std::size_t worker_count(std::size_t count, std::size_t grain, std::size_t threads);

}  // namespace hopspan::core
