/* The values of one column in a sample of rows, sorted: each once, with the rows that have it. */
#ifndef FL_PLAN_SAMPLE_VALUES_H
#define FL_PLAN_SAMPLE_VALUES_H

#include "arrow/value.h"

/* A column's part of a sample, borrowed. */
typedef struct fl_sample_column {
    fl_type type;
    const fl_vec *const *vecs; /* the picks starts[v] .. starts[v + 1] are rows of vecs[v] */
    int64_t n_vecs;
    const int64_t *starts; /* [n_vecs + 1] */
    const int64_t *rows;   /* per pick: its row there; NULL: the picks of a vector are its rows */
} fl_sample_column;

static inline int32_t fl_sample_picks(const fl_sample_column *column)
{
    return (int32_t)column->starts[column->n_vecs];
}

typedef struct fl_sample_value {
    int32_t first; /* in fl_sample_values.picks */
    int32_t count; /* picks that have it */
} fl_sample_value;

typedef struct fl_sample_values {
    int32_t n_nulls;
    int32_t n;
    fl_sample_value *values; /* ascending */
    int32_t *picks;          /* of all values in their order, but for those that are null */
} fl_sample_values;

/** Whether values of the type can be sorted: all but intervals and nested ones. */
bool fl_sample_values_takes(fl_type type);

/** Sorts the column's values; in arena memory. Texts are told apart by their first 1,024 bytes, length and last bytes. */
fl_status fl_sample_values_sort(fl_arena *arena, const fl_sample_column *column, fl_sample_values *ret, fl_err *err);

/** The value of a pick; strings are borrowed from its vector. */
fl_status fl_sample_value_get(fl_arena *arena, const fl_sample_column *column, int32_t pick, fl_value *ret,
                              fl_err *err);

#endif
