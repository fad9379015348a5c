#include <string>

#include "test.h"
#include "vectors/names.h"

using hopspan::DType;
using hopspan::Metric;
using hopspan::vectors::name;

TEST(names_follow_the_enumerators) {
  CHECK_EQUAL(std::string(name(DType::kFloat32)), "float32");
  CHECK_EQUAL(std::string(name(DType::kFloat16)), "float16");
  CHECK_EQUAL(std::string(name(DType::kBFloat16)), "bfloat16");
  CHECK_EQUAL(std::string(name(DType::kInt8)), "int8");
  CHECK_EQUAL(std::string(name(DType::kUInt8)), "uint8");
  CHECK_EQUAL(std::string(name(DType::kBinary)), "binary");
  CHECK_EQUAL(std::string(name(Metric::kL2)), "l2");
  CHECK_EQUAL(std::string(name(Metric::kIp)), "ip");
  CHECK_EQUAL(std::string(name(Metric::kCosine)), "cosine");
  CHECK_EQUAL(std::string(name(Metric::kHamming)), "hamming");
}
