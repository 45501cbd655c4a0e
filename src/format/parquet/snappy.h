/* Decompressing snappy's raw format into padded buffers.
 *
 * A decoder of our own because pages are small and their elements short: with 64 spare bytes on either side every
 * element is copied by whole registers, without calls, where the library asks libc to move each of them. */
#ifndef FL_FORMAT_PARQUET_SNAPPY_H
#define FL_FORMAT_PARQUET_SNAPPY_H

#include <stdint.h>

/** Decompresses to exactly `to_bytes` bytes. Up to 64 bytes past the end of `from` are read, and past the end of `to`
 *  written. NULL, or what is wrong in words. */
const char *fl_pq_unsnappy(const uint8_t *from, int64_t from_bytes, uint8_t *to, int64_t to_bytes);

#endif
