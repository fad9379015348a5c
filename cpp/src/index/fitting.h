// In which format and place the rows of an index are kept, as its vectors come.
#pragma once

#include <cstddef>
#include <optional>

#include "core/fair_mutex.h"
#include "hopspan/matrix_view.h"
#include "hopspan/options.h"
#include "index/engine.h"
#include "vectors/matrix.h"

namespace hopspan::index {

// Whether so many rows of this format are for a file of their own, because codes stand for them in memory.
bool belong_on_disk(const IndexOptions& options, const vectors::RowFormat& format, std::size_t size);

// Makes the rows what vectors to come can follow. Bytes are for the first ones that fit and for those after them that
// do; otherwise what is there becomes floats. All is as it was when that is not accepted.
class Fitting {
 public:
  // mutex: held by the caller, free while rows are copied. Throws IoError.
  Fitting(const IndexOptions& options, vectors::Matrix& rows, Engine& engine, core::FairMutex& mutex,
          const MatrixView& vectors);
  Fitting(const Fitting&) = delete;
  Fitting& operator=(const Fitting&) = delete;
  ~Fitting();

  void accept() noexcept { before_.reset(); }

 private:
  void swap(vectors::Matrix& rows) noexcept;

  vectors::Matrix& rows_;
  Engine& engine_;
  std::optional<vectors::Matrix> before_;
};

}  // namespace hopspan::index
