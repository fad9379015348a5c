// A thread that calls a function at an interval, for as long as this object lives.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace hopspan::durable {

class Flusher {
 public:
  Flusher(std::chrono::milliseconds interval, std::function<void()> flush);
  ~Flusher();
  Flusher(const Flusher&) = delete;
  Flusher& operator=(const Flusher&) = delete;

 private:
  void run();

  const std::chrono::milliseconds interval_;
  const std::function<void()> flush_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace hopspan::durable
