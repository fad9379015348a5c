// Functions that are compiled into their callers whatever the compiler thinks of their length.
#pragma once

#if defined(_MSC_VER) && !defined(__clang__)
#define HOPSPAN_ALWAYS_INLINE __forceinline
#define HOPSPAN_INLINE_LAMBDA
#else
#define HOPSPAN_ALWAYS_INLINE inline __attribute__((always_inline))
#define HOPSPAN_INLINE_LAMBDA __attribute__((always_inline))
#endif
