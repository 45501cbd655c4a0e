/* Segments leave as an ArrowArrayStream, and a stream arrives as segments: the Arrow C interfaces at the engine's border.
 *
 * Zero copy where the layouts agree: fixed-width values, booleans, validity, and the strings of results. Decimals leave in
 * 128 bits; lists get their offsets. */
#ifndef FL_STORE_ARROW_STREAM_H
#define FL_STORE_ARROW_STREAM_H

#include "base/interrupt.h"
#include "fletch/arrow.h"
#include "store/segment.h"

/* Where a stream's segments come from. */
typedef struct fl_segment_feed {
    /** The next one, the caller's reference; NULL: the end. After a failure it fails in the same way. */
    fl_status (*next)(void *ctx, fl_segment **ret, fl_err *err);
    void (*release)(void *ctx); /* any thread */
    void *ctx;
} fl_segment_feed;

/** A stream of these columns over what the feed brings, which it takes over on success. The memory outlives it, until the
 *  feed's release. */
fl_status fl_arrow_export_feed(fl_memory *memory, const fl_field *fields, int32_t n_cols, const fl_segment_feed *feed,
                               struct ArrowArrayStream *ret, fl_err *err);

/** Says which zone moments of such a stream's timestamptz columns are shown in; UTC without it. */
fl_status fl_arrow_export_set_zone(const struct ArrowArrayStream *stream, fl_str zone, fl_err *err);

/** Why get_next of such a stream failed, FL_OK: it did not, or another made the stream. ret may be NULL. */
fl_status fl_arrow_export_error(const struct ArrowArrayStream *stream, fl_err *ret);

/** A stream of these columns over the segments (a reference to each is taken). Its memory is its own: the session may be
 *  gone when it is released, the engine's budget may not. */
fl_status fl_arrow_export(fl_memory *memory, const fl_field *fields, int32_t n_cols, fl_segment *const *segments,
                          int64_t n_segments, struct ArrowArrayStream *ret, fl_err *err);

typedef struct fl_arrow_import {
    fl_arena arena;
    fl_field *fields;
    int32_t n_cols;
    fl_segment **segments;
    int64_t n_segments;
    int64_t capacity;
} fl_arrow_import;

/** Reads a stream to its end and releases it in any case; `interrupt` (may be NULL) stops it. FL_ERR_TYPE names the column of
 *  an unknown Arrow type; FL_ERR_CORRUPT what contradicts the specification, FL_ERR_VALUE (22021) text and names that are no
 *  UTF-8. On failure nothing is held. */
fl_status fl_arrow_import_stream(fl_memory *memory, fl_interrupt *interrupt, struct ArrowArrayStream *stream,
                                 fl_arrow_import *ret, fl_err *err);
void fl_arrow_import_drop(fl_arrow_import *import);

#endif
