#include "durable/flusher.h"

#include <utility>

#include "core/signal_mask.h"

namespace hopspan::durable {

Flusher::Flusher(std::chrono::milliseconds interval, std::function<void()> flush)
    : interval_(interval), flush_(std::move(flush)) {
  const core::SignalMask mask;
  thread_ = std::thread([this] { run(); });
}

Flusher::~Flusher() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Flusher::run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!changed_.wait_for(lock, interval_, [this] { return ends_; })) {
    lock.unlock();
    flush_();
    lock.lock();
  }
}

}  // namespace hopspan::durable
