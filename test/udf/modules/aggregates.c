/* Aggregates: a state in memory that the host keeps, as many bytes as <name>_state says. */
#include "exports.h"

typedef struct mean {
    double sum;
    long long n;
} mean;

EXPORT(geo_mean_state) int geo_mean_state(void)
{
    return sizeof(mean);
}

EXPORT(geo_mean_init) void geo_mean_init(mean *m)
{
    *m = (mean){0};
}

static double ln(double x)
{
    int exponent = 0;
    for (; x >= 2; exponent++)
        x /= 2;
    for (; x < 1; exponent--)
        x *= 2;
    double y = (x - 1) / (x + 1), power = y, sum = 0;
    for (int i = 1; i < 60; i += 2, power *= y * y)
        sum += power / i;
    return 2 * sum + exponent * 0.69314718055994530942;
}

static double e_to(double x)
{
    double term = 1, sum = 1;
    int halves = 0;
    for (; x > 0.5 || x < -0.5; halves++)
        x /= 2;
    for (int i = 1; i < 25; i++)
        sum += term *= x / i;
    for (; halves > 0; halves--)
        sum *= sum;
    return sum;
}

EXPORT(geo_mean_update) void geo_mean_update(mean *m, double x)
{
    m->sum += ln(x);
    m->n++;
}

EXPORT(geo_mean_combine) void geo_mean_combine(mean *into, const mean *from)
{
    into->sum += from->sum;
    into->n += from->n;
}

EXPORT(geo_mean_finish) double geo_mean_finish(const mean *m)
{
    return e_to(m->sum / m->n);
}

/* How often this instance was called: what one query leaves is not there for the next. */
EXPORT(tally_state) int tally_state(void)
{
    return sizeof(long long);
}

EXPORT(tally_init) void tally_init(long long *n)
{
    *n = 0;
}

EXPORT(tally_update) void tally_update(long long *n, long long x)
{
    static long long calls;
    *n = ++calls + x * 0;
}

EXPORT(tally_combine) void tally_combine(long long *into, const long long *from)
{
    *into = *into > *from ? *into : *from;
}

EXPORT(tally_finish) long long tally_finish(const long long *n)
{
    return *n;
}

/* The remainders by 512 that occurred: a state as large as there may be. */
EXPORT(remainders_state) int remainders_state(void)
{
    return 4096;
}

EXPORT(remainders_init) void remainders_init(volatile long long *seen) /* or it would be made a call of memset */
{
    for (int i = 0; i < 512; i++)
        seen[i] = 0;
}

EXPORT(remainders_update) void remainders_update(long long *seen, long long x)
{
    seen[x % 512]++;
}

EXPORT(remainders_combine) void remainders_combine(long long *into, const long long *from)
{
    for (int i = 0; i < 512; i++)
        into[i] += from[i];
}

EXPORT(remainders_finish) long long remainders_finish(const long long *seen)
{
    long long n = 0;
    for (int i = 0; i < 512; i++)
        n += seen[i] > 0;
    return n;
}

/* A sum that is counted one by one. */
EXPORT(tedious_state) int tedious_state(void)
{
    return sizeof(long long);
}

EXPORT(tedious_init) void tedious_init(long long *sum)
{
    *sum = 0;
}

EXPORT(tedious_update) void tedious_update(volatile long long *sum, long long x)
{
    for (long long i = 0; i < x; i++)
        ++*sum;
}

EXPORT(tedious_combine) void tedious_combine(long long *into, const long long *from)
{
    *into += *from;
}

EXPORT(tedious_finish) long long tedious_finish(const long long *sum)
{
    return *sum;
}

/* The bytes of texts, none of which may be "trap". */
EXPORT(text_bytes_state) int text_bytes_state(void)
{
    return sizeof(long long);
}

EXPORT(text_bytes_init) void text_bytes_init(long long *sum)
{
    *sum = 0;
}

EXPORT(text_bytes_update) void text_bytes_update(long long *sum, const byte *at, pointer bytes)
{
    if (bytes == 4 && at[0] == 't' && at[1] == 'r' && at[2] == 'a' && at[3] == 'p')
        __builtin_trap();
    *sum += bytes;
}

EXPORT(text_bytes_combine) void text_bytes_combine(long long *into, const long long *from)
{
    *into += *from;
}

EXPORT(text_bytes_finish) long long text_bytes_finish(const long long *sum)
{
    return *sum;
}

EXPORT(alloc) pointer alloc(pointer bytes)
{
    return take(bytes);
}
