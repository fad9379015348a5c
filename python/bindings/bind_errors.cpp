// Which Python exception each of the library's becomes.
#include <system_error>

#include "bindings.h"

namespace hopspan::bindings {
namespace {

// OSError picks its subclass, such as FileNotFoundError, by errno.
void set_os_error(const IoError& error) {
  const py::handle type(PyExc_OSError);
  const std::string reason = std::generic_category().message(error.code());
  const py::object exception = type(error.code(), reason, error.path());
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.ptr())), exception.ptr());
}

void set_error(const char* name, const std::exception& error) {
  py::set_error(py::module_::import("hopspan.errors").attr(name), error.what());
}

void translate(std::exception_ptr pointer) {
  try {
    if (pointer) std::rethrow_exception(pointer);
  } catch (const IoError& error) {
    set_os_error(error);
  } catch (const CorruptIndexError& error) {
    set_error("CorruptIndexError", error);
  } catch (const VersionError& error) {
    set_error("VersionError", error);
  } catch (const LockedError& error) {
    set_error("LockedError", error);
  } catch (const InvalidType& error) {
    py::set_error(PyExc_TypeError, error.what());
  } catch (const InvalidArgument& error) {
    py::set_error(PyExc_ValueError, error.what());
  }
}

}  // namespace

void register_errors() { py::register_local_exception_translator(translate); }

}  // namespace hopspan::bindings
