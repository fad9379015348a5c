#include <memory>

#include "core/function_ref.h"
#include "test.h"

using hopspan::core::FunctionRef;

namespace {
int apply(FunctionRef<int(int)> f, int x) { return f(x); }
}  // namespace

TEST(function_ref_calls_the_callable) {
  int calls = 0;
  CHECK_EQUAL(apply([&](int x) { return x + ++calls; }, 10), 11);
  CHECK_EQUAL(calls, 1);
}

TEST(function_ref_borrows_and_forwards) {
  auto counter = [n = 0](std::unique_ptr<int> by) mutable { return n += *by; };
  const FunctionRef<int(std::unique_ptr<int>)> ref = counter;
  ref(std::make_unique<int>(2));
  const FunctionRef<int(std::unique_ptr<int>)> copy = ref;
  CHECK_EQUAL(copy(std::make_unique<int>(3)), 5);
}
