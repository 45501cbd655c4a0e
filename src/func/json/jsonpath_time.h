/* Dates and times as values of a path: what .datetime() makes of a text. They look like strings to who does not ask. */
#ifndef FL_FUNC_JSON_JSONPATH_TIME_H
#define FL_FUNC_JSON_JSONPATH_TIME_H

#include "base/arena.h"

#include <yyjson.h>

typedef enum fl_jsonpath_order {
    FL_JP_LESS = -1,
    FL_JP_SAME,
    FL_JP_MORE,
    FL_JP_APART,
    FL_JP_NEEDS_ZONE
} fl_jsonpath_order;

/** Reads a date, a time or both in the forms of ISO 8601; *ret NULL: it is none. The value lies in the arena, and prints as such a text. */
fl_status fl_jsonpath_time_read(fl_arena *arena, fl_str text, yyjson_val **ret, fl_err *err);

bool fl_jsonpath_is_time(const yyjson_val *value);

/** "date", "timestamp with time zone" … */
const char *fl_jsonpath_time_type(const yyjson_val *value);

/** Two of them: FL_JP_APART where a date meets a time; FL_JP_NEEDS_ZONE where only one has a zone, unless the other's is taken for UTC. */
fl_jsonpath_order fl_jsonpath_time_compare(const yyjson_val *a, const yyjson_val *b, bool uses_zone);

#endif
