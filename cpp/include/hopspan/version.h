// The version of the library. CMake, the wheel and Python's __version__ read it from here.
#pragma once

#define HOPSPAN_VERSION "0.1.0"
