/* The values of one column in a sample of rows, sorted: each once, with how often it was seen. */
#ifndef FL_STORE_SAMPLE_VALUES_H
#define FL_STORE_SAMPLE_VALUES_H

#include "store/row_sample.h"

typedef struct fl_sample_value {
    int32_t pick;  /* one of the sample's rows that has it */
    int32_t count; /* rows that have it */
} fl_sample_value;

typedef struct fl_sample_values {
    int32_t n_nulls;
    int32_t n;
    fl_sample_value *values; /* ascending */
} fl_sample_values;

/** Whether values of the type can be sorted: all but intervals and nested ones. */
bool fl_sample_values_takes(fl_type type);

/** Sorts the column's values; in arena memory. Texts are told apart by their first 1,024 bytes, length and last bytes. */
fl_status fl_sample_values_sort(fl_arena *arena, fl_segment *const *segments, int64_t n_segments, int32_t col,
                                const fl_row_sample *sample, fl_sample_values *ret, fl_err *err);

/** The value of a pick; strings are borrowed from its segment. */
fl_status fl_sample_value_get(fl_arena *arena, fl_segment *const *segments, int64_t n_segments, int32_t col,
                              const fl_row_sample *sample, int32_t pick, fl_value *ret, fl_err *err);

#endif
