#include <cerrno>

#include "hopspan/error.h"
#include "test.h"

using hopspan::IoError;

TEST(io_error_names_action_file_and_reason) {
  const IoError error(ENOSPC, "/data/index.hop", "write");
  CHECK_EQUAL(std::string(error.what()), "cannot write '/data/index.hop': No space left on device");
  CHECK_EQUAL(error.code(), ENOSPC);
  CHECK_EQUAL(error.path(), "/data/index.hop");
}
