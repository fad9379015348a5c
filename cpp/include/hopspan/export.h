// HOPSPAN_API marks what the shared library exports; everything else stays hidden. Nothing is marked in a static build.
#pragma once

#ifndef HOPSPAN_SHARED
#define HOPSPAN_API
#elif !defined(_WIN32)
#define HOPSPAN_API __attribute__((visibility("default")))
#elif defined(hopspan_EXPORTS)
#define HOPSPAN_API __declspec(dllexport)
#else
#define HOPSPAN_API __declspec(dllimport)
#endif
