// Gives an I/O error its text: what failed, on which file, and the system's reason.
#include "hopspan/error.h"

#include <system_error>

namespace hopspan {

IoError::IoError(int code, const std::string& path, const std::string& action)
    : Error("cannot " + action + " '" + path + "': " + std::generic_category().message(code)),
      code_(code),
      path_(path) {}

}  // namespace hopspan
