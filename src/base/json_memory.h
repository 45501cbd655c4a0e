/* Memory for yyjson from an arena: blocks go with the arena, or when it is rewound. Relies on yyjson and the arena. */
#ifndef FL_BASE_JSON_MEMORY_H
#define FL_BASE_JSON_MEMORY_H

#include "base/arena.h"

#include <yyjson.h>

/* Lies where it is used, and is not moved: yyjson points at it. */
typedef struct fl_json_memory {
    fl_arena *arena;
    fl_err failure; /* why yyjson got no block; FL_OK when it got all */
    yyjson_alc alc;
} fl_json_memory;

void fl_json_memory_init(fl_json_memory *memory, fl_arena *arena);

/** What memory failed with, or FL_OK: yyjson's NULL had another reason then. */
fl_status fl_json_memory_status(const fl_json_memory *memory, fl_err *err);

#endif
