/* Functions that take whole columns. */
#include "columns.h"

EXPORT(alloc) pointer alloc(pointer bytes)
{
    return take(bytes);
}

/* scaled(x double, factor double): the factor is the same for all rows, or not. */
EXPORT(scaled_batch) int scaled(unsigned rows, const column *args, column *result)
{
    const double *x = args[0].values, *factor = args[1].values;
    for (unsigned i = 0; i < rows; i++)
        ((double *)result->values)[i] = x[args[0].is_constant ? 0 : i] * factor[args[1].is_constant ? 0 : i];
    return 0;
}

/* constants(a integer, b integer) → how many of both came as one value. */
EXPORT(constants_batch) int constants(unsigned rows, const column *args, column *result)
{
    for (unsigned i = 0; i < rows; i++)
        ((int *)result->values)[i] = (int)(args[0].is_constant + args[1].is_constant);
    return 0;
}

/* rows_at_once(a integer) → of the call. */
EXPORT(rows_at_once_batch) int rows_at_once(unsigned rows, const column *args, column *result)
{
    (void)args;
    for (unsigned i = 0; i < rows; i++)
        ((int *)result->values)[i] = (int)rows;
    return 0;
}

/* initial(t text) → its first byte, null where there is none. */
EXPORT(initial_batch) int initial(unsigned rows, const column *args, column *result)
{
    byte *bytes = (byte *)take(rows);
    unsigned at = 0;
    for (unsigned i = 0; i < rows; i++) {
        unsigned k = args[0].is_constant ? 0 : i, begin = args[0].offsets[k];
        result->offsets[i] = at;
        if (args[0].offsets[k + 1] > begin)
            bytes[at++] = ((byte *)args[0].values)[begin];
        else
            put_bit(result->validity, i, 0);
    }
    result->offsets[rows] = at;
    result->values = bytes;
    return 0;
}

/* is_long(t text) → of more than five bytes. */
EXPORT(is_long_batch) int is_long(unsigned rows, const column *args, column *result)
{
    for (unsigned i = 0; i < rows; i++) {
        unsigned k = args[0].is_constant ? 0 : i;
        put_bit(result->values, i, args[0].offsets[k + 1] - args[0].offsets[k] > 5);
    }
    return 0;
}

/* known(a smallint, b boolean), called on null input → how many are not null, and 10 where b is true. */
EXPORT(known_batch) int known(unsigned rows, const column *args, column *result)
{
    for (unsigned i = 0; i < rows; i++) {
        unsigned a = args[0].is_constant ? 0 : i, b = args[1].is_constant ? 0 : i;
        int has_a = bit(args[0].validity, a), has_b = bit(args[1].validity, b);
        ((short *)result->values)[i] = (short)(has_a + has_b + (has_b && bit(args[1].values, b) ? 10 : 0));
    }
    return 0;
}

/* picky(x bigint): fails for 1000. */
EXPORT(picky_batch) int picky(unsigned rows, const column *args, column *result)
{
    for (unsigned i = 0; i < rows; i++) {
        long long x = ((long long *)args[0].values)[args[0].is_constant ? 0 : i];
        if (x == 1000)
            return (int)i + 1;
        ((long long *)result->values)[i] = x;
    }
    return 0;
}

/* steep(x bigint): traps for 1000. */
EXPORT(steep_batch) int steep(unsigned rows, const column *args, column *result)
{
    for (unsigned i = 0; i < rows; i++) {
        long long x = ((long long *)args[0].values)[args[0].is_constant ? 0 : i];
        if (x == 1000)
            __builtin_trap();
        ((long long *)result->values)[i] = x;
    }
    return 0;
}

/* liar(kind integer) → text: a column that is not what it should be. */
EXPORT(liar_batch) int liar(unsigned rows, const column *args, column *result)
{
    static byte bytes[] = {'a', 0xff, 'b'};
    int kind = *(int *)args[0].values;
    result->values = bytes;
    for (unsigned i = 0; i <= rows; i++)
        result->offsets[i] = kind == 2 ? rows - i : 0;
    if (kind == 0)
        result->values = (void *)0xfffffff0u;
    if (kind == 1)
        result->offsets[rows] = 0x7fffffff;
    if (kind == 3)
        result->offsets[rows] = 2;
    if (kind == 4)
        result->validity = (byte *)0xfffffffcu;
    if (kind == 5)
        result->offsets = (unsigned *)0xfffffffcu;
    return 0;
}

/* Of another type: no function of columns. */
EXPORT(odd_batch) long long odd(int rows)
{
    return rows;
}
