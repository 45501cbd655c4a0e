/* Rows picked at random from segments: the same ones on every machine, for all columns. */
#ifndef FL_STORE_ROW_SAMPLE_H
#define FL_STORE_ROW_SAMPLE_H

#include "store/segment.h"

typedef struct fl_row_sample {
    int32_t rows;
    int64_t *starts; /* [n_segments + 1]: the picks of segment s are places[starts[s] .. starts[s + 1]) */
    int64_t *places; /* rows within their segment, ascending */
} fl_row_sample;

/** Picks `wanted` rows, or all where there are no more; in arena memory. */
fl_status fl_row_sample_pick(fl_arena *arena, fl_segment *const *segments, int64_t n_segments, int32_t wanted,
                             fl_row_sample *ret, fl_err *err);

#endif
