/* What goes wrong in functions. */
#include "exports.h"

EXPORT(divide) int divide(int a, int b)
{
    return a / b;
}

EXPORT(peek) int peek(int address)
{
    return *(volatile int *)(unsigned long)(unsigned)address;
}

/* Recursion that needs no memory of the module's: what is exhausted is the engine's stack. */
EXPORT(ackermann) int ackermann(int m, int n)
{
    return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

EXPORT(grow_all) int grow_all(int pages)
{
    int grown = 0;
    while (__builtin_wasm_memory_grow(0, (unsigned long)pages) != ~0ul)
        grown += pages;
    return grown;
}

EXPORT(bad_text) text bad_text(int kind)
{
    pointer p = take(16);
    ((byte *)p)[0] = 0xFF;
    return kind == 0 ? text_of(p, 1) : kind == 1 ? text_of(0xFFFFFFF0u, 4096) : text_of(p, 0x7FFFFFFF);
}

/* How often it was called by this instance: what one query leaves is not there for the next. */
EXPORT(calls) int calls(int unused)
{
    static int n;
    return unused * 0 + ++n;
}

/* What is found where an instance that went may have written: in data, in a table of zeros, behind a page that is grown, in a global. As many
 * bits as were not as new, and whatever the next one could find is written. */
EXPORT(leftover) int leftover(int with)
{
    static int data = 7, zeros[4096], found;
    unsigned long pages = __builtin_wasm_memory_size(0), behind = __builtin_wasm_memory_grow(0, 1);
    volatile int *grown = (volatile int *)(behind * 65536);
    int result =
        (data != 7) | (zeros[4095] != 0) << 1 | (found != 0) << 2 | (behind != pages) << 3 | (*grown != 0) << 4;
    data = zeros[4095] = found = grown[0] = grown[16383] = with;
    return result;
}
