/* The version behind plus_one.c. */
#include "exports.h"

EXPORT(plus) long long plus(long long x)
{
    return x + 2;
}
