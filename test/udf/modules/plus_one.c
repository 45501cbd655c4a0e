/* A version of a function; plus_two.c is the next. */
#include "exports.h"

EXPORT(plus) long long plus(long long x)
{
    return x + 1;
}
