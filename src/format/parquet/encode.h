/* Values as bytes: the encodings that hybrid.h and delta.h undo. All add to a text, whose status says whether there was room. */
#ifndef FL_FORMAT_PARQUET_ENCODE_H
#define FL_FORMAT_PARQUET_ENCODE_H

#include "base/text.h"

/** Bits that hold 0 .. max. */
int32_t fl_pq_bits_of(uint64_t max);

/** Packs n values of `width` (0 to 32) bits, least significant first, into whole groups of 8 values; what is missing of the last one is
 *  zero. */
void fl_pq_pack(fl_text *to, const uint32_t *values, int64_t n, int32_t width);

/** Runs of equal values and packed groups mixed. */
void fl_pq_hybrid_write(fl_text *to, const uint32_t *values, int64_t n, int32_t width);

/** The same of n equal values. */
void fl_pq_hybrid_write_run(fl_text *to, uint32_t value, int64_t n, int32_t width);

/** DELTA_BINARY_PACKED of values of `width` (4 or 8) bytes. */
void fl_pq_delta_write(fl_text *to, const void *values, int64_t n, int32_t width);

/** How many bytes that takes, more or less. */
int64_t fl_pq_delta_bytes(const void *values, int64_t n, int32_t width);

#endif
