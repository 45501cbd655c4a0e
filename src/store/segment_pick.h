/* Parts of segments: some of their columns, some of their rows. */
#ifndef FL_STORE_SEGMENT_PICK_H
#define FL_STORE_SEGMENT_PICK_H

#include "store/segment.h"

/** Those columns of a segment, shared with it; of its rows those that `live` has a bit for (copied; NULL: all that are there). */
fl_status fl_segment_pick(fl_memory *memory, fl_segment *segment, const int32_t *cols, int32_t n, const uint64_t *live,
                          fl_segment **ret, fl_err *err);

/** The columns of two segments with as many rows, of which none was deleted, side by side. */
fl_status fl_segment_join(fl_memory *memory, fl_segment *left, fl_segment *right, fl_segment **ret, fl_err *err);

/* A list of segments that is freed with fl_segments_drop. */
typedef struct fl_segments {
    fl_memory *memory; /* of the list itself; NULL: the heap */
    fl_segment **items;
    int64_t n;
    int64_t capacity;
} fl_segments;

void fl_segments_drop(fl_segments *list);

/** Of each segment those columns, and of segment i the rows that live[i] has a bit for (live NULL: all; live[i] NULL: none), put
 *  together in new segments. Looks at the memory's interrupt. */
fl_status fl_segments_pack(fl_memory *memory, fl_segment *const *segments, int64_t n_segments, const int32_t *cols,
                           const fl_type *types, int32_t n_cols, uint64_t *const *live, fl_segment_use use,
                           fl_segments *ret, fl_err *err);

int64_t fl_segments_rows(fl_segment *const *segments, int64_t n);

#endif
