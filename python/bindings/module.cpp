#include "bindings.h"
#include "hopspan/version.h"

PYBIND11_MODULE(_core, module, pybind11::mod_gil_not_used()) {
  using namespace hopspan::bindings;
  module.attr("__version__") = HOPSPAN_VERSION;
  register_errors();
  register_build(module);
  IndexClass index = register_index(module);
  register_vectors(index);
  register_search(index);
  register_storage(index);
  register_durable(module);
}
