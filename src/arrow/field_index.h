/* A struct's fields by name: of several whose names differ in case only, the one that is written so, else the first. */
#ifndef FL_ARROW_FIELD_INDEX_H
#define FL_ARROW_FIELD_INDEX_H

#include "arrow/type.h"
#include "base/name_map.h"

typedef struct fl_field_index {
    fl_type type;
    fl_name_map places;
    bool has_twins; /* names that differ in case only */
} fl_field_index;

/** Borrows the type's fields. Structs of few fields take no memory. */
fl_status fl_field_index_init(fl_field_index *index, fl_arena *arena, fl_type type, fl_err *err);

/** The field's number; -1: none. */
int32_t fl_field_index_find(const fl_field_index *index, fl_str name);

#endif
