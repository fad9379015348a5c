// The exceptions of the public API. A message names the value, the limit and, for arrays, the row.
#pragma once

#include <stdexcept>
#include <string>

#include "hopspan/export.h"

namespace hopspan {

class HOPSPAN_API Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A value outside what the call accepts (ValueError in Python).
class HOPSPAN_API InvalidArgument : public Error {
 public:
  using Error::Error;
};

// An element type that the call does not accept (TypeError in Python).
class HOPSPAN_API InvalidType : public Error {
 public:
  using Error::Error;
};

// The operating system refused (OSError in Python, with errno and the file name).
class HOPSPAN_API IoError : public Error {
 public:
  IoError(int code, const std::string& path, const std::string& action);
  int code() const noexcept { return code_; }
  const std::string& path() const noexcept { return path_; }

 private:
  int code_;
  std::string path_;
};

// Bytes that are not what a save wrote.
class HOPSPAN_API CorruptIndexError : public Error {
 public:
  using Error::Error;
};

// A file of a format version or feature that this release does not know.
class HOPSPAN_API VersionError : public Error {
 public:
  using Error::Error;
};

// Another object has the folder open for writing.
class HOPSPAN_API LockedError : public Error {
 public:
  using Error::Error;
};

}  // namespace hopspan
