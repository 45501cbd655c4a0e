/* Time zones: fixed offsets, and the system's tz database (RFC 8536), read by this reader of ours.
 *
 * A zone is read once and read-only afterwards; it lies in the arena that it was opened with. */
#ifndef FL_BASE_ZONE_H
#define FL_BASE_ZONE_H

#include "base/arena.h"

typedef struct fl_zone fl_zone;

/** Opens a zone by name: "UTC", "Europe/Berlin", "+02" or "UTC-5" (these two count west of Greenwich, as POSIX and PostgreSQL
 *  have it). FL_ERR_VALUE (22023) when there is none. */
fl_status fl_zone_open(fl_arena *arena, fl_str name, const fl_zone **ret, fl_err *err);

/** Seconds east of Greenwich at a moment (seconds since 1970-01-01 UTC). */
int64_t fl_zone_offset(const fl_zone *zone, int64_t seconds);

/** Seconds east of Greenwich at a local time (seconds since 1970-01-01, as clocks there show it). Of two moments the one in
 *  standard time counts; a time that clocks leave out is read by the offset before. */
int64_t fl_zone_offset_local(const fl_zone *zone, int64_t local_seconds);

#endif
