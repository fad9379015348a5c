// A shared mutex under which neither side starves: readers that come while a writer waits go after it. The standard
// one may let readers in for as long as any of them holds it. A writer may let readers in between the steps of its
// work.
#pragma once

#include <atomic>
#include <mutex>
#include <shared_mutex>

namespace hopspan::core {

class FairMutex {
 public:
  void lock() {
    waiting_.fetch_add(1, std::memory_order_relaxed);
    {
      const std::lock_guard<std::mutex> turn(gate_);
      mutex_.lock();
    }
    waiting_.fetch_sub(1, std::memory_order_relaxed);
  }
  void unlock() { mutex_.unlock(); }

  void lock_shared() {
    if (waiting_.load(std::memory_order_relaxed) != 0) const std::lock_guard<std::mutex> turn(gate_);
    mutex_.lock_shared();
  }
  void unlock_shared() { mutex_.unlock_shared(); }

  // For the writer that holds it: calls `work`, which changes nothing that readers read, with the mutex free. Other
  // writers have to be kept out in another way.
  template <typename Work>
  void aside(Work&& work) {
    const Free free(*this);
    work();
  }

 private:
  struct Free {
    explicit Free(FairMutex& mutex) : mutex_(mutex) { mutex_.unlock(); }
    ~Free() { mutex_.lock(); }
    Free(const Free&) = delete;
    Free& operator=(const Free&) = delete;
    FairMutex& mutex_;
  };

  std::shared_mutex mutex_;
  std::mutex gate_;  // a writer holds it while it waits
  std::atomic<int> waiting_{0};
};

// mutex: held by the caller, or null.
template <typename Work>
void aside(FairMutex* mutex, Work&& work) {
  if (mutex == nullptr) return work();
  mutex->aside(work);
}

}  // namespace hopspan::core
