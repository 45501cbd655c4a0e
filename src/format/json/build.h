/* Columns of values from records' trees: fl_vec of any type, nested ones too, in arena memory. */
#ifndef FL_FORMAT_JSON_BUILD_H
#define FL_FORMAT_JSON_BUILD_H

#include "arrow/vec.h"
#include "format/json/parse.h"

/* A value that is none of its column's type: which, and why. */
typedef struct fl_json_misfit {
    int64_t row;      /* among the values given to fl_json_build */
    const char *text; /* where it lies in the chunk, for strings; else NULL */
    fl_err complaint;
} fl_json_misfit;

/** The column of `rows` values, of which NULL stands for one that is missing. Texts point into the trees. On FL_ERR_VALUE
 *  and FL_ERR_RANGE the misfit is filled, not `err`; FL_ERR_MEMORY fills `err`. */
fl_status fl_json_build(fl_arena *arena, const fl_field *field, yyjson_val *const *values, int64_t rows, fl_vec *ret,
                        fl_json_misfit *misfit, fl_err *err);

/** Puts an object's values in place: *(slots[i] + row) for field i, where slots[i] is not NULL. The last of equal keys
 *  counts; keys that are no field are passed over. */
void fl_json_spread(const fl_field *fields, int32_t n_fields, yyjson_val *object, yyjson_val ***slots, int64_t row);

#endif
