#include "durable/opened.h"

#include <atomic>
#include <string>

#include "hopspan/error.h"

namespace hopspan::durable {

std::size_t Opened::size() const noexcept {
  const std::shared_ptr<index::Store> store = std::atomic_load(&store_);
  return store ? store->size() : 0;
}

std::shared_ptr<index::Store> Opened::store() const {
  check_usable();
  std::shared_ptr<index::Store> store = std::atomic_load(&store_);
  if (!store) check_open();
  return store;
}

std::shared_ptr<index::Store> Opened::linked() const {
  std::shared_ptr<index::Store> store = this->store();
  store->link_all({threads_, {}});
  return store;
}

void Opened::set_store(std::shared_ptr<index::Store> store) {
  if (store && row_bytes_ == 0) {
    options_ = store->options();
    row_bytes_ = store->row_bytes();
  }
  std::atomic_store(&store_, std::move(store));
}

bool Opened::is_closed() const noexcept { return std::atomic_load(&store_) == nullptr; }

void Opened::check_open() const {
  if (is_closed()) throw InvalidArgument(folder_.u8string() + ": the index is closed");
}

}  // namespace hopspan::durable
