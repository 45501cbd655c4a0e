/* What a function of whole columns is given: docs/udf.md. Buffers are Arrow's. */
#include "exports.h"

typedef struct column {
    unsigned is_constant; /* 1: one value, which all rows have */
    void *values;         /* numbers in their width, booleans as bits, the bytes of texts */
    unsigned *offsets;    /* of texts: one more than rows, into values */
    byte *validity;       /* a bit a row, 1: it has a value; 0: all have one */
} column;

static inline int bit(const byte *bits, unsigned i)
{
    return bits[i / 8] >> (i % 8) & 1;
}

static inline void put_bit(byte *bits, unsigned i, int value)
{
    bits[i / 8] = (byte)((bits[i / 8] & ~(1 << (i % 8))) | value << (i % 8));
}
