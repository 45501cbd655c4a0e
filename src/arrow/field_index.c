/* A struct's fields by name. */
#include "arrow/field_index.h"

#define MAPPED_FROM 16 /* fields; fewer are looked through */

fl_status fl_field_index_init(fl_field_index *index, fl_arena *arena, fl_type type, fl_err *err)
{
    fl_status st = FL_OK;
    *index = (fl_field_index){.type = type};
    fl_name_map_init(&index->places, arena);
    for (int32_t i = 0; i < type.n_fields && type.n_fields >= MAPPED_FROM; i++) {
        int32_t known = -1;
        FL_TRY(fl_name_map_add(&index->places, type.fields[i].name, i, &known, err));
        index->has_twins |= known >= 0;
    }
cleanup:
    return st;
}

int32_t fl_field_index_find(const fl_field_index *index, fl_str name)
{
    const fl_field *fields = index->type.fields;
    int32_t n = index->type.n_fields, found = -1;
    if (n >= MAPPED_FROM) {
        found = fl_name_map_find(&index->places, name);
        if (found < 0 || !index->has_twins)
            return found;
    }
    for (int32_t i = 0; i < n; i++) {
        if (fl_str_is_equal(fields[i].name, name))
            return i;
        if (found < 0 && fl_str_is_equal_nocase(fields[i].name, name))
            found = i;
    }
    return found;
}
