#include <set>

#include "core/spares.h"
#include "test.h"

using hopspan::core::Spares;

TEST(spares_are_used_again_and_never_by_two_at_once) {
  Spares<int> spares;
  std::set<int*> made;
  {
    const auto first = spares.take();
    const auto second = spares.take();
    made = {&*first, &*second};
    CHECK_EQUAL(made.size(), std::size_t{2});
  }
  const auto first = spares.take();
  const auto second = spares.take();
  CHECK((made == std::set<int*>{&*first, &*second}));
  const auto third = spares.take();
  CHECK_EQUAL(made.count(&*third), std::size_t{0});
}
