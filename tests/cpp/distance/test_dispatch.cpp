// The choice among the instruction sets.
#include <cstdlib>
#include <string>

#include "distance/blocks.h"
#include "distance/kernels.h"
#include "distance/reference.h"
#include "hopspan/error.h"
#include "test.h"

namespace hopspan::test {
namespace {

TEST(dispatch_finds_each_table_under_its_own_name) {
  for (const char* isa : kAllIsas) {
    const distance::KernelTable* const kernels = distance::find_kernels(isa);
    const distance::BlockTable* const blocks = distance::find_blocks(isa);
    CHECK_EQUAL(kernels == nullptr, blocks == nullptr);
    if (kernels == nullptr) continue;
    CHECK_EQUAL(std::string(kernels->isa), isa);
    CHECK_EQUAL(std::string(blocks->isa), isa);
    CHECK_EQUAL(&distance::select_kernels(isa), kernels);
  }
  CHECK(distance::find_kernels("scalar") != nullptr);
}

// What the build is for and what the compiler's own detection says.
TEST(dispatch_finds_what_this_processor_has) {
#if defined(__aarch64__) || defined(_M_ARM64)
  CHECK(distance::find_kernels("neon") != nullptr);
#else
  CHECK(distance::find_kernels("neon") == nullptr);
#endif
#if defined(__x86_64__) && defined(__GNUC__)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vpopcntdq");
  CHECK_EQUAL(distance::find_kernels("avx2") != nullptr, avx2);
  CHECK_EQUAL(distance::find_kernels("avx512") != nullptr, avx512);
#endif
}

TEST(dispatch_refuses_what_is_unknown_or_absent) {
  CHECK(distance::find_kernels("sse9") == nullptr);
  CHECK(distance::find_blocks("") == nullptr);
  CHECK_THROWS(InvalidArgument, "'sse9'", distance::select_kernels("sse9"));
  CHECK_THROWS(InvalidArgument, "available: ", distance::select_kernels("AVX2"));
  for (const char* isa : kAllIsas) {
    if (distance::find_kernels(isa) == nullptr) CHECK_THROWS(InvalidArgument, isa, distance::select_kernels(isa));
  }
}

TEST(dispatch_without_a_name_takes_a_vector_table_when_there_is_one) {
  const std::string best = distance::select_kernels(nullptr).isa;
  CHECK_EQUAL(std::string(distance::select_kernels("").isa), best);
  for (const char* isa : {"neon", "avx2", "avx512"}) {
    if (distance::find_kernels(isa) != nullptr) CHECK(best != "scalar");
  }
  if (distance::find_kernels("avx512") != nullptr) CHECK_EQUAL(best, "avx512");
}

// The whole program runs once for each value of HOPSPAN_ISA in tests/repo/test_isa.py.
TEST(dispatch_obeys_the_environment) {
  const char* const forced = std::getenv("HOPSPAN_ISA");
  if (forced != nullptr && *forced != '\0' && distance::find_kernels(forced) == nullptr) {
    CHECK_THROWS(InvalidArgument, forced, distance::kernels());
    CHECK_THROWS(InvalidArgument, forced, distance::blocks());
  } else {
    CHECK_EQUAL(&distance::kernels(), &distance::select_kernels(forced));
    CHECK_EQUAL(std::string(distance::blocks().isa), distance::kernels().isa);
  }
}

}  // namespace
}  // namespace hopspan::test
