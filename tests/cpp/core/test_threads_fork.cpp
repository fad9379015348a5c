// The pool across fork, exit and signals. Every child has an alarm: a hang kills it and turns the test red.
#if defined(__unix__) || defined(__APPLE__)

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <thread>

#include "core/threads.h"
#include "test.h"

#if defined(__has_feature)
#define HAS_FEATURE(feature) __has_feature(feature)
#else
#define HAS_FEATURE(feature) 0
#endif
#if defined(__SANITIZE_THREAD__) || HAS_FEATURE(thread_sanitizer)
#define THREAD_SANITIZER
#elif defined(__SANITIZE_ADDRESS__) || HAS_FEATURE(address_sanitizer)
#define ADDRESS_SANITIZER
#endif

using hopspan::core::parallel_for;

TEST(helpers_leave_signals_to_the_program) {
  std::atomic<int> missing{2};
  std::atomic<bool> fine{true};
  parallel_for(2, 1, 2, {}, [&](std::size_t, std::size_t, std::size_t worker) {
    --missing;
    while (missing > 0) std::this_thread::yield();
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    const bool helper = worker != 0;
    if ((sigismember(&blocked, SIGINT) == 1) != helper || sigismember(&blocked, SIGSEGV) == 1) fine = false;
  });
  CHECK(fine);
}

// ThreadSanitizer cannot start threads in the forked child of a process that had threads.
#if !defined(THREAD_SANITIZER)

namespace {

bool pool_works(std::size_t threads = 4) {
  std::atomic<std::size_t> sum{0};
  parallel_for(2000, 1, threads, {}, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (; begin < end; ++begin) sum += begin;
  });
  return sum == 2000 * 1999 / 2;
}

// That helpers, not just the caller, run in this process.
bool helpers_work() {
  std::atomic<int> missing{3};
  parallel_for(3, 1, 3, {}, [&](std::size_t, std::size_t, std::size_t) {
    --missing;
    while (missing > 0) std::this_thread::yield();
  });
  return pool_works();
}

// Whether `body` returned true in a forked child within 20 seconds.
template <typename Body>
bool in_child(Body body, void (*leave)(int) = _exit) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    bool fine = false;
    try {
      fine = body();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "in the child: %s\n", error.what());
    }
    leave(fine ? 0 : 1);
  }
  int status = -1;
  return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// Calls from two other threads for as long as it lives.
class Traffic {
 public:
  Traffic() : threads_{std::thread([this] { run(); }), std::thread([this] { run(); })} {}
  ~Traffic() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  void run() {
    while (!stop_) pool_works();
  }

  std::atomic<bool> stop_{false};
  std::thread threads_[2];
};

}  // namespace

TEST(fork_before_and_after_first_use) {
  // In the outer child the pool is new, so the inner one is forked before its parent's first use.
  CHECK(in_child([] { return in_child(helpers_work) && helpers_work() && in_child(helpers_work); }));
  CHECK(helpers_work());
  CHECK(in_child(helpers_work));
  CHECK(helpers_work());
}

// Planted bug that turns it red: no pthread_atfork.
TEST(fork_while_the_pool_is_busy) {
  const Traffic traffic;
  for (int round = 0; round < 100; ++round) CHECK(in_child(helpers_work));
}

TEST(fork_inside_a_parallel_body) {
  std::atomic<int> failed{0};
  parallel_for(4, 1, 2, {}, [&](std::size_t, std::size_t, std::size_t) {
    if (!in_child(helpers_work)) ++failed;
  });
  CHECK_EQUAL(failed.load(), 0);
}

#if !defined(ADDRESS_SANITIZER)  // its leak check at exit and its large mappings are not for forked children

TEST(exit_with_an_idle_and_with_a_busy_pool) {
  CHECK(in_child(helpers_work, std::exit));
  for (int round = 0; round < 20; ++round) {
    CHECK(in_child(
        [] {
          std::thread([] {
            while (pool_works()) {
            }
          }).detach();
          return helpers_work();
        },
        std::exit));
  }
}

#if defined(__linux__)
TEST(parallel_for_does_without_threads_that_cannot_start) {
  CHECK(in_child([] {
    const rlimit none{1, 1};  // no memory for another stack, but the parent's are used again: so ask for many
    return setrlimit(RLIMIT_AS, &none) == 0 && pool_works(1000);
  }));
}
#endif

#endif  // ADDRESS_SANITIZER
#endif  // THREAD_SANITIZER
#endif  // unix
