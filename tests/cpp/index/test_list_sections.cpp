// What lists must hold. Planted bug that turns this red: a census that does not ask which slots are held.
#include "index/list_sections.h"
#include "spann/gaussians.h"
#include "test.h"

using namespace hopspan;

TEST(lists_hold_the_vectors_that_there_are_and_no_others) {
  const vectors::Matrix rows = test::gaussians(300, 8, 1);
  spann::BuildOptions options;
  options.heads = 10;
  options.capacity = 60;
  const spann::Lists lists = spann::build(spann::MatrixFloats(rows), options, {});
  const auto check = [&](std::size_t size, std::uint32_t removed) {
    index::validate(lists, 8, Metric::kL2, size, [=](std::uint32_t slot) { return slot != removed; });
  };
  check(300, 300);
  CHECK_THROWS(CorruptIndexError, "holds vector 17 which was removed", check(300, 17));
  CHECK_THROWS(CorruptIndexError, "no list holds vector 300", check(301, 301));
  CHECK_THROWS(CorruptIndexError, "which does not exist", check(299, 299));
}
