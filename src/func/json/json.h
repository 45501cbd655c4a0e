/* The way to a part of a JSON text, which exec/json_text.h reads.
 *
 * A path is written in one of three ways, as in DuckDB: '$.a.b[0]' (members, quoted ones too; elements, from the end as [#-1] or [-1]),
 * '/a/b/0' (RFC 6901), and any other text, which is one member's name. */
#ifndef FL_FUNC_JSON_JSON_H
#define FL_FUNC_JSON_JSON_H

#include "exec/json_text.h"

#define FL_JSON_TRAITS (FL_PURE | FL_NULL_GIVES_NULL | FL_CONST_ARGS | FL_OFFSETS_ARGS | FL_CAN_FAIL)

/** The value at the end of a path; NULL where there is none. FL_ERR_VALUE (2203B, 22023) for what is no path. */
fl_status fl_json_find(yyjson_val *from, fl_str path, yyjson_val **ret, fl_err *err);

/** One step of a path that begins with '$': a member's name, or an element's number. */
typedef struct fl_json_step {
    fl_str name; /* data NULL: it is an element */
    int64_t index;
    bool is_from_end; /* index counts back: 1 is the last one */
} fl_json_step;

/** Reads the step at *at, which moves behind it; false at the path's end. `room` is for a name with escapes. */
fl_status fl_json_next_step(fl_str path, int64_t *at, fl_json_step *ret, bool *ret_is_step, fl_err *err);

#endif
