// A thread that calls a function again and again until it is given up. Each call tells after how long the next one
// comes, or that none does before wake().
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "hopspan/options.h"

namespace hopspan::durable {

class Background {
 public:
  using Pause = std::optional<std::chrono::milliseconds>;  // nothing: until wake()
  // stop: throws once the thread is to end; for calls that take long, out of which its exception must come.
  using Work = std::function<Pause(const Progress& stop)>;
  struct Stopped {};

  // first: before the first call. The thread ends with the last pointer, which waits for a call that runs; in a forked
  // child, which has no such thread, the object stays as it is.
  static std::shared_ptr<Background> start(Pause first, Work work);
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  void wake();
  bool is_here() const noexcept;  // not in a parent of this process
  // Whether a call ran in the parent when this process was forked.
  bool was_cut() const noexcept { return !is_here() && working_; }

 private:
  Background(Pause first, Work work);
  ~Background();
  void run(Pause pause);
  Pause call();

  const Work work_;
  const std::uint64_t forks_;
  std::atomic<bool> ends_{false};
  std::atomic<bool> working_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
  std::thread thread_;
};

}  // namespace hopspan::durable
