/* RLE and bit-packed runs mixed: levels, dictionary codes, booleans. A cursor that gives any number of values at a
 * time.
 *
 * Runs lie one after the other: varint header, lowest bit 1 = that many groups of 8 packed values, 0 = one repeated
 * value. The bytes lie in a padded buffer (kernel.h). */
#ifndef FL_FORMAT_PARQUET_HYBRID_H
#define FL_FORMAT_PARQUET_HYBRID_H

#include "format/parquet/kernel.h"

typedef struct fl_pq_hybrid {
    const uint8_t *at;
    const uint8_t *end;
    const uint8_t *packed; /* of the packed run */
    int64_t packed_bit;    /* next value's */
    int64_t left;          /* values left in the run */
    uint32_t value;        /* of the repeated run */
    uint32_t width;        /* bits of a value: 0 to 32 */
    bool is_packed;
} fl_pq_hybrid;

void fl_pq_hybrid_init(fl_pq_hybrid *h, const uint8_t *data, int64_t bytes, uint32_t width);

/** Begins with packed values alone, without headers. */
void fl_pq_hybrid_init_packed(fl_pq_hybrid *h, const uint8_t *data, int64_t values, uint32_t width);

/** The next n values; `to` has room for 16 more. False when the bytes end first. */
bool fl_pq_hybrid_read(fl_pq_hybrid *h, const fl_pq_kernels *kernels, int64_t n, uint32_t *to);

bool fl_pq_hybrid_skip(fl_pq_hybrid *h, int64_t n);

/** Width 1: the next n values as bits from bit `at` of `map` on, whose bits from there on are 0. *ret_ones is how many
 *  are set. */
bool fl_pq_hybrid_read_bits(fl_pq_hybrid *h, int64_t n, uint64_t *map, int64_t at, int64_t *ret_ones);

#endif
