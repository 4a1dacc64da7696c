// What a library of somebody else's steps begins with.

#pragma once

#include "step.hpp"

#if defined(_WIN32)
#define MIREPOIX_EXPORT extern "C" __declspec(dllexport)
#else
#define MIREPOIX_EXPORT extern "C" __attribute__((visibility("default")))
#endif
