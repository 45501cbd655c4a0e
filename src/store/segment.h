/* Segments: immutable columns of up to FL_SEGMENT_ROWS rows. Tables in memory are made of them, and results too.
 *
 * A builder takes batches and grows its columns; finishing it gives a counted segment. Strings are kept as views into the
 * segment's heap (tables: dictionaries where few values repeat), or as Arrow's offsets and characters (results, which leave
 * without another copy). Columns of tables know their least and greatest value,
 * and whether their rows come in order.
 *
 * A segment may share columns of others, which it holds, and say of some of its rows that they were deleted: these stay where they are, and
 * what is known of its values holds for them, too. */
#ifndef FL_STORE_SEGMENT_H
#define FL_STORE_SEGMENT_H

#include "arrow/value.h"
#include "arrow/vec_order.h"

#define FL_SEGMENT_ROWS 122880
#define FL_SEGMENT_CHARS_MAX (1ll << 30) /* characters of one column of a segment; 32-bit offsets hold twice as many */

typedef struct fl_segment {
    _Atomic int32_t refs;
    int32_t n_cols;
    int64_t rows; /* deleted ones too */
    int64_t n_deleted;
    const uint64_t *live; /* a bit a row that was not deleted; tail cleared. NULL: none was */
    fl_vec *vecs;         /* [n_cols] */
    fl_value *min;        /* [n_cols]; null where unknown */
    fl_value *max;
    int64_t *nulls;             /* [n_cols]; of rows that were not deleted; -1 unknown */
    fl_vec_order *order;        /* [n_cols] */
    fl_arena arena;             /* everything above, and the strings */
    fl_buffer **buffers;        /* [n_cols * 3]: data, validity, characters; NULL where there is none */
    struct fl_segment **owners; /* [n_cols]: whose each column is, a reference each; NULL: all are its own */
    void (*release)(struct fl_segment *segment); /* foreign memory: called when the last reference goes */
    void *owner;
} fl_segment;

fl_segment *fl_segment_ref(fl_segment *segment);
void fl_segment_unref(fl_segment *segment); /* NULL does nothing */

/** Adds a segment to a list that grows, to be freed with fl_free. The caller's reference is the list's, or gone where it fails. */
fl_status fl_segment_list_add(fl_memory *memory, fl_segment ***list, int64_t *n, int64_t *capacity, fl_segment *segment,
                              fl_err *err);

static inline int64_t fl_segment_live_rows(const fl_segment *segment)
{
    return segment->rows - segment->n_deleted;
}

static inline bool fl_segment_is_live(const fl_segment *segment, int64_t row)
{
    return segment->live == NULL || fl_bit_get(segment->live, row);
}

/** A segment that shares the columns of another, but for those of which there are new ones: columns[c] (NULL: the shared one) is of a
 *  segment that has that column alone, and as many rows. `columns` may be NULL. `live` (copied; NULL: what the other has) says
 *  which rows are left. */
fl_status fl_segment_share(fl_memory *memory, fl_segment *segment, fl_segment *const *columns, const uint64_t *live,
                           fl_segment **ret, fl_err *err);

/** An empty segment with arrays for n columns, for importers. */
fl_status fl_segment_new(fl_memory *memory, int32_t n_cols, fl_segment **ret, fl_err *err);

/** Finds the order and the bounds of each column of a table's segment that nobody shares yet. */
fl_status fl_segment_measure(fl_segment *segment, fl_err *err);

typedef enum fl_segment_use {
    FL_SEGMENT_TABLE,
    FL_SEGMENT_RESULT,
    FL_SEGMENT_PIECE /* as for a table, but not measured: it may be put together with others */
} fl_segment_use;

typedef struct fl_segment_builder fl_segment_builder;

fl_status fl_segment_builder_new(fl_memory *memory, const fl_type *types, int32_t n_cols, fl_segment_use use,
                                 fl_segment_builder **ret, fl_err *err);
void fl_segment_builder_free(fl_segment_builder *builder);

/** Appends the rows list[0 .. count) of the vectors (NULL list: rows 0 .. count-1). */
fl_status fl_segment_builder_add(fl_segment_builder *builder, const fl_vec *vecs, const uint16_t *list, int32_t count,
                                 fl_err *err);

/** Appends those of the rows [start, start + count) of a segment with the same columns that were not deleted. start is a multiple of
 *  64, count ≤ 65,536. */
fl_status fl_segment_builder_add_live(fl_segment_builder *builder, const fl_segment *segment, int64_t start,
                                      int32_t count, fl_err *err);

int64_t fl_segment_builder_rows(const fl_segment_builder *builder);

/** What the builder has in memory. */
int64_t fl_segment_builder_bytes(const fl_segment_builder *builder);

/** Whether the builder should be finished before more is added: rows or characters are at their limit. */
bool fl_segment_builder_is_full(const fl_segment_builder *builder);

/** Makes the segment; the builder is empty afterwards and can be used again. */
fl_status fl_segment_builder_finish(fl_segment_builder *builder, fl_segment **ret, fl_err *err);

#endif
