/* Rows that lie in segments, put out by a source: a morsel is a piece of a segment, and its batches point into it. What is materialized and
 * the rows of a recursion's rounds are read so. Relies on store/segment.h. */
#ifndef FL_OP_MATERIALIZE_SEGMENT_PIECES_H
#define FL_OP_MATERIALIZE_SEGMENT_PIECES_H

#include "exec/exec.h"
#include "store/segment.h"

typedef struct fl_segment_piece {
    const fl_segment *segment;
    int64_t start, end;   /* its rows */
    const uint64_t *live; /* a bit for each row of the segment: whether it is put out. NULL: all are */
} fl_segment_piece;

/** The i-th piece of all segments, with all of its rows; false: there are fewer. */
bool fl_segment_piece_find(fl_segment *const *segments, int64_t n_segments, int64_t i, fl_segment_piece *ret);

/** How many pieces there are. */
int64_t fl_segment_piece_count(fl_segment *const *segments, int64_t n_segments);

/** Pushes the rows of a piece as batches of `node`, whose column c is the segment's from[c]. Resets the worker's arena for each. */
fl_status fl_segment_piece_push(const fl_segment_piece *piece, const fl_node *node, const int32_t *from,
                                fl_worker *worker, fl_stage *to, fl_err *err);

#endif
