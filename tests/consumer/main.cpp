// A program of somebody else: builds an index with the installed library, searches it, saves it and loads it again.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "hopspan/error.h"
#include "hopspan/index.h"
#include "hopspan/version.h"

namespace {

constexpr std::size_t kRows = 500;
constexpr std::size_t kDim = 8;

std::vector<float> make_vectors() {
  std::vector<float> values(kRows * kDim);
  std::uint32_t state = 1;
  for (float& value : values) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(state >> 8) / 16777216.0f;
  }
  return values;
}

std::vector<std::int64_t> nearest(const hopspan::Index& index, const hopspan::MatrixView& queries) {
  hopspan::SearchOptions options;
  options.k = 1;
  options.ef = 50;
  std::vector<std::int64_t> ids(queries.rows);
  std::vector<float> distances(queries.rows);
  index.search(queries, options, ids.data(), distances.data());
  return ids;
}

bool refuses_dim_zero() {
  try {
    hopspan::Index index(hopspan::IndexOptions{});
  } catch (const hopspan::InvalidArgument&) {
    return true;
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::filesystem::path path = argv[1];
  const std::vector<float> values = make_vectors();
  const hopspan::MatrixView vectors{values.data(), kRows, kDim, hopspan::DType::kFloat32};

  hopspan::IndexOptions options;
  options.dim = kDim;
  hopspan::Index index(options);
  const std::vector<std::int64_t> ids = index.add(vectors);
  index.save(path);
  const hopspan::Index loaded = hopspan::Index::load(path);

  const bool right = nearest(index, vectors) == ids && nearest(loaded, vectors) == ids && loaded.size() == kRows &&
                     refuses_dim_zero() && std::string(HOPSPAN_VERSION) == PACKAGE_VERSION;
  std::printf("%s\n", right ? "ok" : "wrong");
  return right ? 0 : 1;
}
