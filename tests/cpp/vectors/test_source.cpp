#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "faults/fault_env.h"
#include "test.h"
#include "vectors/source.h"

using hopspan::DType;
using hopspan::InvalidArgument;
using hopspan::IoError;
using hopspan::MatrixView;
using hopspan::Metric;
using hopspan::faults::Bytes;
using hopspan::faults::FaultEnv;
using hopspan::vectors::ArraySource;
using hopspan::vectors::FileSource;
using hopspan::vectors::Matrix;
using hopspan::vectors::read_stored;

namespace {

constexpr std::size_t kRows = 7;
constexpr std::size_t kDim = 3;

std::vector<float> numbers() {
  std::vector<float> all;
  for (std::size_t i = 0; i < kRows * kDim; ++i) all.push_back(static_cast<float>(i) + 0.5F);
  return all;
}

// The numbers behind a header of 5 bytes.
void put_file(FaultEnv& env, std::size_t missing = 0) {
  const std::vector<float> all = numbers();
  const auto* const data = reinterpret_cast<const std::byte*>(all.data());
  Bytes bytes(5);
  bytes.insert(bytes.end(), data, data + all.size() * sizeof(float));
  bytes.resize(bytes.size() - missing);
  env.put("rows", bytes);
}

}  // namespace

TEST(source_reads_ranges_of_rows) {
  const std::vector<float> all = numbers();
  FaultEnv env;
  put_file(env);
  const ArraySource array(MatrixView{all.data(), kRows, kDim, DType::kFloat32});
  const FileSource file(env.open("rows", false), 5, kRows, kDim, DType::kFloat32);
  for (const hopspan::vectors::Source* source :
       {static_cast<const hopspan::vectors::Source*>(&array), static_cast<const hopspan::vectors::Source*>(&file)}) {
    CHECK_EQUAL(source->rows(), kRows);
    CHECK_EQUAL(source->dim(), kDim);
    CHECK_EQUAL(source->row_bytes(), kDim * sizeof(float));
    std::vector<float> out(4 * kDim);
    source->read(2, 4, out.data());
    CHECK(std::memcmp(out.data(), all.data() + 2 * kDim, out.size() * sizeof(float)) == 0);
    source->read(kRows, 0, out.data());
  }
}

TEST(source_file_that_is_shorter_than_its_header_says_is_refused) {
  FaultEnv env;
  put_file(env, 1);
  CHECK_THROWS(InvalidArgument, "rows has 88 bytes; 7 x 3 float32 from byte 5 on take 89",
               FileSource(env.open("rows", false), 5, kRows, kDim, DType::kFloat32));
  CHECK_THROWS(std::length_error, "overflow",
               FileSource(env.open("rows", false), 5, ~std::size_t{0}, kDim, DType::kFloat32));
}

TEST(source_passes_on_an_error_of_its_file) {
  FaultEnv env;
  put_file(env);
  const FileSource file(env.open("rows", false), 5, kRows, kDim, DType::kFloat32);
  env.fail_read_at(0, EIO);
  float out[kDim];
  CHECK_THROWS(IoError, "rows", file.read(0, 1, out));
  file.read(1, 1, out);
  CHECK_EQUAL(out[0], 3.5F);
}

TEST(source_rows_as_stored_are_those_of_a_matrix) {
  const std::vector<float> all = numbers();
  const ArraySource source(MatrixView{all.data(), kRows, kDim, DType::kFloat32});
  for (const DType dtype : {DType::kFloat32, DType::kFloat16}) {
    Matrix whole({kDim, Metric::kCosine, dtype});
    whole.append({all.data(), kRows, kDim, DType::kFloat32});
    Matrix part({kDim, Metric::kCosine, dtype});
    read_stored(source, 2, 3, part);
    CHECK_EQUAL(part.size(), 3u);
    CHECK(std::memcmp(part.data(), whole.row(2), 3 * whole.stride()) == 0);
    read_stored(source, 0, 1, part);
    CHECK_EQUAL(part.size(), 1u);
  }
}

// Planted bug that turns it red: the row's number within the range.
TEST(source_rows_that_cannot_be_stored_are_named_by_their_number_in_the_source) {
  std::vector<float> all = numbers();
  all[4 * kDim + 1] = std::numeric_limits<float>::infinity();
  std::fill_n(all.begin() + 6 * kDim, kDim, 0.0F);
  const ArraySource source(MatrixView{all.data(), kRows, kDim, DType::kFloat32});
  Matrix out({kDim, Metric::kCosine, DType::kFloat32});
  CHECK_THROWS(InvalidArgument, "row 4 ", read_stored(source, 3, 2, out));
  CHECK_THROWS(InvalidArgument, "row 6 ", read_stored(source, 5, 2, out));
  Matrix integers({kDim, Metric::kL2, DType::kInt8});
  CHECK_THROWS(InvalidArgument, "row 2, column 0: 6.5", read_stored(source, 2, 1, integers));
}
