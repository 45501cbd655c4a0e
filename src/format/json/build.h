/* Columns of values from records' trees: fl_vec of any type, nested ones too, in arena memory. */
#ifndef FL_FORMAT_JSON_BUILD_H
#define FL_FORMAT_JSON_BUILD_H

#include "arrow/vec.h"
#include "format/json/parse.h"
#include "base/names.h"

/* A value that is none of its column's type: which, and why. */
typedef struct fl_json_misfit {
    int64_t row;       /* among the values given to fl_json_build */
    const char *text;  /* where it lies in the chunk, for strings and raw numbers; else NULL */
    bool is_string;    /* … behind its quote */
    bool needs_digits; /* a number's own text is wanted: parse again so that numbers stay raw */
    fl_err complaint;
} fl_json_misfit;

/** The column of `rows` values, of which NULL stands for one that is missing. Texts point into the trees. On FL_ERR_VALUE,
 *  FL_ERR_RANGE and FL_ERR_COLUMN the misfit is filled, not `err`; FL_ERR_MEMORY fills `err`. is_guessed: the type was
 *  found by looking at a sample, so that a key that it has not is a misfit (FL_ERR_COLUMN), never passed over. */
fl_status fl_json_build(fl_arena *arena, const fl_field *field, bool is_guessed, yyjson_val *const *values,
                        int64_t rows, fl_vec *ret, fl_json_misfit *misfit, fl_err *err);

/** The number of the key among names[0 .. n), which `index` knows or, where it is NULL, are looked at one by one; `at` is
 *  where it most likely is, as keys mostly come in the names' order. Negative: it is none. */
int32_t fl_json_find_name(const fl_str *names, const fl_name_index *index, int32_t n, int32_t at, fl_str key);

#endif
