#include "durable/background.h"

#include <utility>

#include "core/signal_mask.h"
#include "core/threads.h"

namespace hopspan::durable {

std::shared_ptr<Background> Background::start(Pause first, Work work) {
  return {new Background(first, std::move(work)), [](Background* background) {
            if (background->is_here()) delete background;
          }};
}

Background::Background(Pause first, Work work) : work_(std::move(work)), forks_(core::forks()) {
  const core::SignalMask mask;
  thread_ = std::thread([this, first] { run(first); });
}

Background::~Background() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Background::wake() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

bool Background::is_here() const noexcept { return forks_ == core::forks(); }

void Background::run(Pause pause) {
  std::unique_lock<std::mutex> lock(mutex_);
  const auto called = [this] { return ends_ || woken_; };
  for (;;) {
    if (pause) {
      changed_.wait_for(lock, *pause, called);
    } else {
      changed_.wait(lock, called);
    }
    if (ends_) return;
    woken_ = false;
    lock.unlock();
    pause = call();
    lock.lock();
  }
}

Background::Pause Background::call() {
  const Progress stop = [this](std::size_t, std::size_t) {
    if (ends_) throw Stopped();
  };
  Pause pause;
  working_ = true;
  try {
    pause = work_(stop);
  } catch (const Stopped&) {
  }
  working_ = false;
  return pause;
}

}  // namespace hopspan::durable
