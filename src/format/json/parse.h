/* One record's text as a tree of values; relies on yyjson, whose nodes come from an arena here.
 *
 * Texts of the tree lie in the chunk's own bytes, which parsing changes: a record is parsed once. Numbers that neither a
 * 64-bit integer nor a double holds stay text ("raw"), or all of them where their digits count. */
#ifndef FL_FORMAT_JSON_PARSE_H
#define FL_FORMAT_JSON_PARSE_H

#include "base/arena.h"
#include "format/json/records.h"

#include <yyjson.h>

#define FL_JSON_DEPTH_MAX 100

/** Parses record `i`; keeps_digits: every number stays raw. FL_ERR_FORMAT (22000; 22021 for what is no UTF-8) with the
 *  place; FL_ERR_LIMIT for nesting beyond 100; FL_ERR_MEMORY. A record is an object, or it is refused. */
fl_status fl_json_parse(fl_json_chunk *chunk, const fl_json_source *source, int64_t i, bool keeps_digits,
                        fl_arena *arena, yyjson_val **ret, fl_err *err);

/** A value as JSON text in the arena. */
fl_status fl_json_print(fl_arena *arena, const yyjson_val *value, fl_str *ret, fl_err *err);

/** The text of a string, or of a number that stayed raw. */
static inline fl_str fl_json_text(yyjson_val *value)
{
    return (fl_str){unsafe_yyjson_get_str(value), (int64_t)unsafe_yyjson_get_len(value)};
}

#endif
