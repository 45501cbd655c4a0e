/* Whether a text that a file gives for a value of type json is JSON. Relies on yyjson. */
#ifndef FL_FORMAT_JSON_CHECK_H
#define FL_FORMAT_JSON_CHECK_H

#include "base/arena.h"

/** The arena's memory is given back. FL_ERR_MEMORY. */
fl_status fl_json_check(fl_arena *arena, fl_str text, bool *ret, fl_err *err);

#endif
