// Builds an index on disk of vectors that need not fit into memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>

#include "hopspan/export.h"
#include "hopspan/matrix_view.h"
#include "hopspan/options.h"

namespace hopspan {

// `rows` vectors, one after another from byte `offset` of a file on.
struct FileRows {
  std::filesystem::path path;
  std::uint64_t offset = 0;
  std::size_t rows = 0;
  std::size_t dim = 0;
  DType dtype = DType::kFloat32;
};

struct BuildOptions {
  IndexOptions index;  // of kind kSpann
  // Bytes that the build may take beyond what it is given, and 64 MiB on top of them at most.
  std::size_t memory = std::size_t{1} << 30;
  std::size_t threads = 0;
  // As Progress, with the name of the phase: "check", "heads", "assign", "group", "write", "calibrate".
  std::function<void(const char* phase, std::size_t done, std::size_t total)> progress;
};

// Makes `path` an index of the vectors under the ids 0, 1, 2, ..., to be opened by Index::load and searched from the
// file. Nothing is there until it is whole. Files called like `path` with ".build" and more behind it hold what has
// been done so far: a build that was killed and is started again with the same vectors and options goes on from there,
// and one that throws takes them away. Throws InvalidArgument, naming what it takes, when `memory` is too little.
HOPSPAN_API void build(const MatrixView& vectors, const std::filesystem::path& path, const BuildOptions& options);
HOPSPAN_API void build(const FileRows& vectors, const std::filesystem::path& path, const BuildOptions& options);

}  // namespace hopspan
