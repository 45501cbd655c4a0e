/* The delta encodings, undone for a whole page at a time. */
#ifndef FL_FORMAT_PARQUET_DELTA_H
#define FL_FORMAT_PARQUET_DELTA_H

#include <stdbool.h>
#include <stdint.h>

/** How many values a DELTA_BINARY_PACKED block says it has; negative when its head is malformed. */
int64_t fl_pq_delta_count(const uint8_t *data, int64_t bytes);

/** Undoes DELTA_BINARY_PACKED for `n` values or as many as there are, if fewer. `width` is 4 or 8 bytes per value of
 *  `to`. Returns the bytes read, or a negative number when the data are malformed. Padded input. */
int64_t fl_pq_delta_read(const uint8_t *data, int64_t bytes, int64_t n, int width, void *to);

#endif
