// Work space that searches take and give back, so that a search allocates nothing that an earlier one has left.
#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace hopspan::core {

template <typename T>
class Spares {
 public:
  class Lease {
   public:
    Lease(Spares& home, std::unique_ptr<T> object) : home_(home), object_(std::move(object)) {}
    ~Lease() { home_.give_back(std::move(object_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    T& operator*() const noexcept { return *object_; }
    T* operator->() const noexcept { return object_.get(); }

   private:
    Spares& home_;
    std::unique_ptr<T> object_;
  };

  Lease take() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!spare_.empty()) {
        std::unique_ptr<T> object = std::move(spare_.back());
        spare_.pop_back();
        return Lease(*this, std::move(object));
      }
      spare_.reserve(++made_);
    }
    return Lease(*this, std::make_unique<T>());
  }

  // Looks at each that is not taken.
  template <typename F>
  void for_each(F&& look) {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const std::unique_ptr<T>& object : spare_) look(*object);
  }

 private:
  // There is room for every object that was ever made.
  void give_back(std::unique_ptr<T> object) noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    spare_.push_back(std::move(object));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<T>> spare_;
  std::size_t made_ = 0;
};

}  // namespace hopspan::core
