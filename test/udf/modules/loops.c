/* Functions that loop and call, some without an end. */
#include "exports.h"

EXPORT(fib) long long fib(int n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

EXPORT(collatz) int collatz(long long n)
{
    int steps = 0;
    for (; n > 1; steps++)
        n = n & 1 ? 3 * n + 1 : n / 2;
    return steps;
}

EXPORT(long_loop) long long long_loop(int millions)
{
    volatile long long x = 0;
    for (long long i = 0; i < millions * 1000000ll; i++)
        x += i;
    return x;
}

EXPORT(endless) int endless(int n)
{
    volatile int x = n;
    for (;;)
        x++;
    return x;
}
