/* Scores, as a shop would rank with them: numbers in, a number out. */
#include "exports.h"

EXPORT(score) double score(double price, double quantity, int bonus)
{
    double s = price * quantity;
    if (bonus > 3)
        s *= 1.1;
    return s > 100 ? s : s / 2;
}

EXPORT(share) float share(float part, float whole)
{
    return part / whole;
}

EXPORT(mixed) long long mixed(int a, long long b, float c, double d)
{
    return a + b + (long long)c + (long long)d;
}

EXPORT(is_odd) int is_odd(long long x)
{
    return (x & 1) != 0;
}

/* 1 where the argument is null, behind each argument. */
EXPORT(or_zero) long long or_zero(long long x, int is_null)
{
    return is_null ? 0 : x;
}
