// One call into the library: it runs without the GIL, and the library calls back to Python for signals and progress.
#pragma once

#include <cstddef>
#include <optional>
#include <stdexcept>

#include "bindings.h"

namespace hopspan::bindings {

// The index whose callback runs on this thread. The library holds its lock meanwhile, so the callback must not enter
// it.
inline thread_local const Index* calling_back = nullptr;

// Releases the GIL for as long as it lives.
class Call {
 public:
  explicit Call(const Index& index) {
    if (calling_back == &index) throw std::runtime_error("an index cannot be used from its own progress callback");
    released_.emplace();
  }

 private:
  std::optional<py::gil_scoped_release> released_;
};

// Runs Python's pending signal handlers, so that Ctrl-C cancels the call, then the user's callback unless it is None.
class Tick {
 public:
  explicit Tick(const Index& index, py::handle callback = Py_None) : index_(&index), callback_(callback) {}

  void operator()(std::size_t done, std::size_t total) const {
    const py::gil_scoped_acquire gil;
    const Mark mark(index_);
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    if (!callback_.is_none()) callback_(done, total);
  }

 private:
  struct Mark {
    explicit Mark(const Index* index) : outer(calling_back) { calling_back = index; }
    ~Mark() { calling_back = outer; }
    const Index* outer;
  };

  const Index* index_;
  py::handle callback_;
};

}  // namespace hopspan::bindings
