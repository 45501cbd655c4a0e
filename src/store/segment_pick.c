/* Parts of segments. A part shares the columns; packing copies its rows, so that what was not picked can go. */
#include "store/segment_pick.h"

#include "base/interrupt.h"

#define PIECE_ROWS 8192 /* added to a builder between two looks whether to stop */

fl_status fl_segment_pick(fl_memory *memory, fl_segment *segment, const int32_t *cols, int32_t n, const uint64_t *live,
                          fl_segment **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_segment *made = NULL;
    uint64_t *copy = NULL;
    int64_t words = fl_bitmap_words(segment->rows);
    bool is_whole = live == NULL;
    FL_TRY(fl_segment_new(memory, n, &made, err));
    made->rows = segment->rows;
    live = is_whole ? segment->live : live;
    if (live != NULL && segment->rows > 0) {
        FL_TRY(FL_NEW_ARRAY(&made->arena, words + 1, &copy, err));
        memcpy(copy, live, (size_t)words * 8);
        copy[words - 1] &= fl_bitmap_tail(segment->rows);
        made->live = copy;
        made->n_deleted = made->rows - fl_bitmap_count(copy, made->rows);
    }
    FL_TRY(FL_NEW_ARRAY(&made->arena, n + 1, &made->owners, err));
    for (int32_t i = 0; i < n; i++) {
        int32_t c = cols[i];
        FL_ASSERT(c < segment->n_cols);
        made->vecs[i] = segment->vecs[c];
        made->min[i] = segment->min[c];
        made->max[i] = segment->max[c];
        made->order[i] = segment->order[c];
        made->nulls[i] = is_whole ? segment->nulls[c] : -1;
        made->owners[i] = fl_segment_ref(segment->owners != NULL ? segment->owners[c] : segment);
    }
    *ret = made;
    return FL_OK;
cleanup:
    fl_segment_unref(made);
    return st;
}

fl_status fl_segment_join(fl_memory *memory, fl_segment *left, fl_segment *right, fl_segment **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_segment *made = NULL;
    int32_t n = left->n_cols + right->n_cols;
    FL_ASSERT(left->rows == right->rows && left->live == NULL && right->live == NULL);
    FL_TRY(fl_segment_new(memory, n, &made, err));
    made->rows = left->rows;
    FL_TRY(FL_NEW_ARRAY(&made->arena, n + 1, &made->owners, err));
    for (int32_t i = 0; i < n; i++) {
        fl_segment *from = i < left->n_cols ? left : right;
        int32_t c = i < left->n_cols ? i : i - left->n_cols;
        made->vecs[i] = from->vecs[c];
        made->min[i] = from->min[c];
        made->max[i] = from->max[c];
        made->order[i] = from->order[c];
        made->nulls[i] = from->nulls[c];
        made->owners[i] = fl_segment_ref(from->owners != NULL ? from->owners[c] : from);
    }
    *ret = made;
    return FL_OK;
cleanup:
    fl_segment_unref(made);
    return st;
}

void fl_segments_drop(fl_segments *list)
{
    for (int64_t i = 0; i < list->n; i++)
        fl_segment_unref(list->items[i]);
    fl_free(list->items);
    *list = (fl_segments){.memory = list->memory};
}

/* Adds what the builder has as a segment. */
static fl_status finish(fl_segment_builder *builder, fl_segments *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_segment *made = NULL;
    FL_TRY(fl_segment_builder_finish(builder, &made, err));
    FL_TRY(fl_segment_list_add(ret->memory, &ret->items, &ret->n, &ret->capacity, made, err));
cleanup:
    return st;
}

fl_status fl_segments_pack(fl_memory *memory, fl_segment *const *segments, int64_t n_segments, const int32_t *cols,
                           const fl_type *types, int32_t n_cols, uint64_t *const *live, fl_segment_use use,
                           fl_segments *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_segment_builder *builder = NULL;
    fl_segment *part = NULL;
    FL_TRY(fl_segment_builder_new(memory, types, n_cols, use, &builder, err));
    for (int64_t s = 0; s < n_segments; s++) {
        if (live != NULL && live[s] == NULL)
            continue;
        FL_TRY(fl_segment_pick(memory, segments[s], cols, n_cols, live == NULL ? NULL : live[s], &part, err));
        for (int64_t at = 0; at < part->rows; at += PIECE_ROWS) {
            int64_t count = part->rows - at < PIECE_ROWS ? part->rows - at : PIECE_ROWS;
            FL_TRY(fl_interrupt_check(memory->interrupt, err));
            FL_TRY(fl_segment_builder_add_live(builder, part, at, (int32_t)count, err));
            if (fl_segment_builder_is_full(builder))
                FL_TRY(finish(builder, ret, err));
        }
        fl_segment_unref(part);
        part = NULL;
    }
    if (fl_segment_builder_rows(builder) > 0)
        FL_TRY(finish(builder, ret, err));
cleanup:
    fl_segment_unref(part);
    fl_segment_builder_free(builder);
    return st;
}

int64_t fl_segments_rows(fl_segment *const *segments, int64_t n)
{
    int64_t rows = 0;
    for (int64_t i = 0; i < n; i++)
        rows += fl_segment_live_rows(segments[i]);
    return rows;
}
