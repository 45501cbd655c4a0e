/* A library of WASI's: what it exports as _initialize comes before all else. */
#include "exports.h"

static long long ready;

EXPORT(_initialize) void _initialize(void)
{
    ready += 40;
}

EXPORT(initialized) long long initialized(long long x)
{
    return ready + x;
}
