// Invariant: a job's caller can always finish the job by itself. Pool threads only ever join an open job and never wait
// for one, so busy pools, nested calls and any number of callers cannot deadlock. The pool lives in storage that is
// never destroyed, and its threads are detached: nothing is left to tear down at exit, and a forked child just starts
// over.
#include "core/threads.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif
#if defined(__linux__)
#include <sched.h>
#endif

#include "core/signal_mask.h"

namespace hopspan::core {
namespace {

using Clock = std::chrono::steady_clock;
using Body = FunctionRef<void(std::size_t, std::size_t, std::size_t)>;

constexpr std::size_t kMaxThreads = 1024;
constexpr std::chrono::milliseconds kProgressInterval{50};
constexpr std::chrono::microseconds kSpin{50};

std::size_t piece_count(std::size_t count, std::size_t grain) { return count / grain + (count % grain != 0); }

// Yields for about as long as waking a sleeping thread takes, in the hope that `ready` turns true.
template <typename Ready>
void spin_until(Ready ready) {
  const Clock::time_point end = Clock::now() + kSpin;
  while (!ready() && Clock::now() < end) std::this_thread::yield();
}

class Reporter {
 public:
  Reporter(const Progress& progress, std::size_t total) : progress_(progress), total_(total) {
    if (progress_) last_ = Clock::now();
  }

  bool enabled() const { return static_cast<bool>(progress_); }

  void report(std::size_t done) {
    if (!enabled()) return;
    const Clock::time_point now = Clock::now();
    if (now - last_ < kProgressInterval) return;
    last_ = now;
    progress_(done, total_);
  }

  void report_end() {
    if (enabled()) progress_(total_, total_);
  }

 private:
  const Progress& progress_;
  std::size_t total_;
  Clock::time_point last_;
};

// One parallel_for with several threads; lives on its caller's stack.
class Job {
 public:
  Job(std::size_t count, std::size_t grain, std::size_t helpers, Body body)
      : count_(count), grain_(grain), pieces_(piece_count(count, grain)), helper_limit_(helpers), body_(body) {}

  // Runs pieces until none is left or one has failed. Only the caller passes a reporter.
  void work(std::size_t worker, Reporter* reporter) noexcept {
    attempt([&] {
      while (!failed_.load(std::memory_order_relaxed)) {
        const std::size_t piece = next_.fetch_add(1, std::memory_order_relaxed);
        if (piece >= pieces_) return;
        const std::size_t begin = piece * grain_;
        const std::size_t size = std::min(grain_, count_ - begin);
        body_(begin, begin + size, worker);
        const std::size_t done = done_.fetch_add(size, std::memory_order_relaxed) + size;
        if (reporter != nullptr) reporter->report(done);
      }
    });
  }

  void report(Reporter& reporter) noexcept {
    attempt([&] { reporter.report(done_.load(std::memory_order_relaxed)); });
  }

  bool failed() const { return failed_.load(std::memory_order_relaxed); }

  // Only once no helper is active.
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

  std::size_t helper_limit() const { return helper_limit_; }

  // The pool's, guarded by its mutex; active is atomic only so that the caller can spin on it.
  Job* next_open = nullptr;
  std::size_t joined = 0;
  std::atomic<std::size_t> active{0};
  std::condition_variable idle;

 private:
  template <typename Action>
  void attempt(Action action) noexcept {
    try {
      action();
    } catch (...) {
      if (!failed_.exchange(true)) error_ = std::current_exception();
    }
  }

  const std::size_t count_;
  const std::size_t grain_;
  const std::size_t pieces_;
  const std::size_t helper_limit_;
  const Body body_;
  std::exception_ptr error_;
  alignas(64) std::atomic<std::size_t> next_{0};
  std::atomic<std::size_t> done_{0};
  std::atomic<bool> failed_{false};
};

class Pool {
 public:
  // Returns when every piece has ended.
  void run(Job& job, Reporter& reporter) {
    offer(job);
    job.work(0, &reporter);
    spin_until([&] { return job.active.load(std::memory_order_relaxed) == 0; });
    std::unique_lock<std::mutex> lock(mutex_);
    close(job);
    while (job.active != 0) {
      if (!reporter.enabled() || job.failed()) {
        job.idle.wait(lock);
      } else if (job.idle.wait_for(lock, kProgressInterval) == std::cv_status::timeout) {
        lock.unlock();
        job.report(reporter);
        lock.lock();
      }
    }
  }

 private:
  void offer(Job& job) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      start_threads(job.helper_limit());
      Job** link = &first_open_;
      while (*link != nullptr) link = &(*link)->next_open;
      *link = &job;
      any_open_ = true;
    }
    for (std::size_t i = 0; i < job.helper_limit(); ++i) wake_.notify_one();
  }

  // From here on nobody joins the job.
  void close(Job& job) {
    Job** link = &first_open_;
    while (*link != nullptr && *link != &job) link = &(*link)->next_open;
    if (*link != nullptr) *link = job.next_open;
    any_open_ = first_open_ != nullptr;
  }

  // Fewer threads than wanted only make the work slower.
  void start_threads(std::size_t wanted) {
    if (threads_ >= wanted) return;
    const SignalMask mask;
    try {
      for (; threads_ < wanted; ++threads_) std::thread([this] { serve(); }).detach();
    } catch (const std::exception&) {
    }
  }

  [[noreturn]] void serve() {
    for (;;) {
      spin_until([&] { return any_open_.load(std::memory_order_relaxed); });
      std::unique_lock<std::mutex> lock(mutex_);
      while (first_open_ == nullptr) wake_.wait(lock);
      Job& job = *first_open_;
      const std::size_t worker = ++job.joined;
      if (worker == job.helper_limit()) close(job);
      ++job.active;
      lock.unlock();
      job.work(worker, nullptr);
      lock.lock();
      close(job);
      if (--job.active == 0) job.idle.notify_one();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  Job* first_open_ = nullptr;  // jobs that still take helpers, oldest first
  std::atomic<bool> any_open_{false};
  std::size_t threads_ = 0;
};

alignas(Pool) unsigned char pool_storage[sizeof(Pool)];

Pool& pool() { return *std::launder(reinterpret_cast<Pool*>(pool_storage)); }

std::atomic<std::uint64_t> fork_count{0};
std::atomic<std::uint64_t> made_count{0};

// In a forked child the pool's threads are gone and its mutex may be locked for ever, so nothing of it is touched.
void rebuild_pool() { new (pool_storage) Pool; }

void begin_child() {
  ++fork_count;
  rebuild_pool();
}

const bool pool_ready = [] {
  rebuild_pool();
#if defined(__unix__) || defined(__APPLE__)
  pthread_atfork([] { ++made_count; }, nullptr, begin_child);
#endif
  return true;
}();

void run_alone(std::size_t count, std::size_t grain, Reporter& reporter, Body body) {
  for (std::size_t begin = 0; begin < count;) {
    const std::size_t end = begin + std::min(grain, count - begin);
    body(begin, end, 0);
    reporter.report(end);
    begin = end;
  }
}

}  // namespace

std::size_t available_threads() {
#if defined(__linux__)
  for (std::size_t bytes = sizeof(cpu_set_t); bytes <= (std::size_t{1} << 16); bytes *= 2) {
    std::vector<cpu_set_t> set(bytes / sizeof(cpu_set_t));
    if (sched_getaffinity(0, bytes, set.data()) == 0) {
      return std::max<std::size_t>(1, static_cast<std::size_t>(CPU_COUNT_S(bytes, set.data())));
    }
  }
#endif
  return std::max<std::size_t>(1, std::thread::hardware_concurrency());
}

std::uint64_t forks() noexcept { return fork_count.load(std::memory_order_relaxed); }

std::uint64_t forks_around() noexcept { return made_count.load(std::memory_order_relaxed); }

std::size_t worker_count(std::size_t count, std::size_t grain, std::size_t threads) {
  const std::size_t pieces = piece_count(count, std::max<std::size_t>(1, grain));
  if (pieces <= 1 || threads == 1) return 1;
  return std::min({pieces, threads == 0 ? available_threads() : threads, kMaxThreads});
}

void parallel_for(std::size_t count, std::size_t grain, std::size_t threads, const Progress& progress,
                  FunctionRef<void(std::size_t begin, std::size_t end, std::size_t worker)> body) {
  if (count == 0) return;
  grain = std::max<std::size_t>(1, grain);
  const std::size_t workers = worker_count(count, grain, threads);
  Reporter reporter(progress, count);
  if (workers == 1) {
    run_alone(count, grain, reporter, body);
  } else {
    Job job(count, grain, workers - 1, body);
    pool().run(job, reporter);
    job.rethrow();
  }
  reporter.report_end();
}

}  // namespace hopspan::core
