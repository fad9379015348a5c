// What hopspan::Index, and an index made of it, holds.
#pragma once

#include <memory>
#include <utility>

#include "hopspan/index.h"
#include "index/body.h"

namespace hopspan {

class Index::Impl {
 public:
  explicit Impl(std::unique_ptr<index::Body> body) : body_(std::move(body)) {}
  index::Body* operator->() const noexcept { return body_.get(); }
  index::Body& operator*() const noexcept { return *body_; }

 private:
  std::unique_ptr<index::Body> body_;
};

}  // namespace hopspan
