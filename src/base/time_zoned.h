/* Times of day with an offset from UTC, as one number, whose order is PostgreSQL's: by the moment in UTC, then by the offset, the
 * eastern ones first. */
#ifndef FL_BASE_TIME_ZONED_H
#define FL_BASE_TIME_ZONED_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define FL_TIME_OFFSET_MAX 57599 /* seconds: 15:59:59 */

/** Of the local time in microseconds since midnight (24:00 is one) and the seconds that it is ahead of UTC. */
int64_t fl_time_zoned_of(int64_t local_us, int32_t offset);

/** The parts of one. */
int64_t fl_time_zoned_local(int64_t zoned);
int32_t fl_time_zoned_offset(int64_t zoned);

/** As text, "04:05:06.789-08"; ret has room for 32 bytes. Returns the length. */
int32_t fl_time_zoned_print(int64_t zoned, char *ret);

/** Reads a time with an offset behind it ("04:05+02", "04:05:06 Z"); without one it is UTC. 0; 1: it is none; 2: out of range. */
int fl_time_zoned_parse(fl_str text, int64_t *ret);

#endif
