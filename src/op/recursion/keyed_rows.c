/* Rows by key, the last of each. */
#include "op/recursion/keyed_rows.h"

#define LIVE_CHUNK 16384   /* rows that are copied at once */
#define DELETED_ROWS 65536 /* deleted rows beyond those that live */
#define SMALL_SEGMENTS 256 /* segments, beside one for each … */
#define SEGMENT_SHARE 4096 /* … so many rows */
#define PLACE_ROW_BITS 32

fl_status fl_keyed_rows_init(fl_keyed_rows *keyed, fl_arena *arena, const fl_type *types, int32_t n_cols,
                             int32_t n_keys, int32_t rows_max, uint64_t seed, fl_memory *memory, fl_err *err)
{
    fl_status st = FL_OK;
    FL_ASSERT(n_keys > 0 && n_keys <= n_cols && rows_max > 0);
    *keyed = (fl_keyed_rows){
        .memory = memory, .types = types, .n_cols = n_cols, .n_keys = n_keys, .rows_max = rows_max, .seed = seed};
    FL_TRY(fl_row_layout_init(&keyed->layout, arena, types, n_keys, 8, err));
    FL_TRY(FL_NEW_ARRAY(arena, rows_max + 64, &keyed->list, err));
    FL_TRY(FL_NEW_ARRAY(arena, rows_max + 64, &keyed->rows, err));
    for (int32_t i = 0; i < rows_max; i++)
        keyed->list[i] = (uint16_t)i;
    st = fl_group_table_init(&keyed->places, &keyed->layout, n_keys, rows_max, memory, err);
cleanup:
    return st;
}

static void forget_segments(fl_keyed_rows *keyed)
{
    for (int64_t i = 0; i < keyed->n_segments; i++)
        fl_segment_unref(keyed->segments[i]);
    fl_free(keyed->segments);
    fl_free(keyed->live);
    keyed->segments = NULL;
    keyed->live = NULL;
    keyed->n_segments = keyed->segments_capacity = keyed->live_capacity = 0;
}

void fl_keyed_rows_drop(fl_keyed_rows *keyed)
{
    forget_segments(keyed);
    if (keyed->places.store.layout != NULL)
        fl_group_table_drop(&keyed->places);
}

static uint64_t *place_of(const fl_keyed_rows *keyed, uint8_t *row)
{
    return (uint64_t *)(row + keyed->layout.extra_offset);
}

static void delete_row(fl_keyed_rows *keyed, int64_t s, int64_t row)
{
    FL_ASSERT(s < keyed->n_segments && fl_bit_get(keyed->live[s], row));
    fl_bit_clear(keyed->live[s], row);
    keyed->segments[s]->n_deleted++;
    keyed->n_live--;
    keyed->n_deleted++;
}

static fl_status are_same(const fl_keyed_rows *keyed, const fl_segment *a, int64_t i, const fl_segment *b, int64_t j,
                          fl_arena *scratch, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    *ret = true;
    for (int32_t c = 0; *ret && c < keyed->n_cols; c++) {
        fl_value x, y;
        FL_TRY(fl_value_from_vec(scratch, &a->vecs[c], i, &x, err));
        FL_TRY(fl_value_from_vec(scratch, &b->vecs[c], j, &y, err));
        *ret = fl_value_is_same(&x, &y);
    }
cleanup:
    return st;
}

/* The rows of the keys of some rows of a segment: keyed->rows. */
static fl_status find_places(fl_keyed_rows *keyed, const fl_segment *segment, int64_t start, int32_t count,
                             fl_arena *scratch, fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec *keys = NULL;
    FL_TRY(FL_NEW_ARRAY(scratch, keyed->n_keys, &keys, err));
    for (int32_t c = 0; c < keyed->n_keys; c++)
        FL_TRY(fl_vec_slice(scratch, &segment->vecs[c], start, count, &keys[c], err));
    st = fl_group_table_find(&keyed->places, keys, keyed->list, count, keyed->seed, true, keyed->rows, err);
cleanup:
    return st;
}

/* Takes in the rows of the last segment. */
static fl_status put_segment(fl_keyed_rows *keyed, bool keeps_same, fl_arena *scratch, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t s = keyed->n_segments - 1;
    fl_segment *segment = keyed->segments[s];
    for (int64_t start = 0; start < segment->rows; start += keyed->rows_max) {
        int64_t left = segment->rows - start;
        int32_t count = left < keyed->rows_max ? (int32_t)left : keyed->rows_max;
        fl_arena_reset(scratch);
        FL_TRY(find_places(keyed, segment, start, count, scratch, err));
        for (int32_t i = 0; i < count; i++) {
            uint64_t *place = place_of(keyed, keyed->rows[i]);
            bool is_same = false;
            if (*place != 0) {
                int64_t known = (int64_t)((*place - 1) >> PLACE_ROW_BITS);
                int64_t row = (int64_t)((*place - 1) & ((1ull << PLACE_ROW_BITS) - 1));
                if (keeps_same)
                    FL_TRY(are_same(keyed, keyed->segments[known], row, segment, start + i, scratch, &is_same, err));
                delete_row(keyed, is_same ? s : known, is_same ? start + i : row);
            }
            if (!is_same)
                *place = ((uint64_t)s << PLACE_ROW_BITS | (uint64_t)(start + i)) + 1;
        }
    }
cleanup:
    return st;
}

/* All of its rows live. */
static fl_status add_segment(fl_keyed_rows *keyed, fl_segment *segment, fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t *live = NULL;
    int64_t words = fl_bitmap_words(segment->rows);
    FL_ASSERT(segment->rows > 0 && segment->n_deleted == 0);
    FL_TRY(fl_arena_get_zero(&segment->arena, words * 8, (void **)&live, err));
    fl_bitmap_fill(live, segment->rows, true);
    live[words - 1] &= fl_bitmap_tail(segment->rows);
    segment->live = live;
    FL_TRY(fl_grow(keyed->memory, (void **)&keyed->live, &keyed->live_capacity, keyed->n_segments + 1,
                   (int64_t)sizeof(*keyed->live), err));
    FL_TRY(fl_segment_list_add(keyed->memory, &keyed->segments, &keyed->n_segments, &keyed->segments_capacity,
                               fl_segment_ref(segment), err));
    keyed->live[keyed->n_segments - 1] = live;
    keyed->n_live += segment->rows;
cleanup:
    return st;
}

/* Puts the rows that live into segments that hold nothing else. */
static fl_status put_together(fl_keyed_rows *keyed, fl_arena *scratch, fl_err *err)
{
    fl_status st = FL_OK;
    fl_segment_builder *builder = NULL;
    fl_keyed_rows made = {.memory = keyed->memory};
    FL_TRY(fl_segment_builder_new(keyed->memory, keyed->types, keyed->n_cols, FL_SEGMENT_TABLE, &builder, err));
    for (int64_t s = 0; s <= keyed->n_segments; s++) {
        const fl_segment *from = s < keyed->n_segments ? keyed->segments[s] : NULL;
        for (int64_t start = 0; from != NULL && start < from->rows; start += LIVE_CHUNK) {
            int64_t left = from->rows - start;
            FL_TRY(fl_segment_builder_add_live(builder, from, start, (int32_t)(left < LIVE_CHUNK ? left : LIVE_CHUNK),
                                               err));
        }
        if (fl_segment_builder_rows(builder) > 0 && (from == NULL || fl_segment_builder_is_full(builder))) {
            fl_segment *segment = NULL;
            FL_TRY(fl_segment_builder_finish(builder, &segment, err));
            st = add_segment(&made, segment, err);
            fl_segment_unref(segment);
            FL_TRY(st);
        }
    }
    FL_ASSERT(made.n_live == keyed->n_live);
    forget_segments(keyed);
    keyed->segments = made.segments;
    keyed->live = made.live;
    keyed->n_segments = made.n_segments;
    keyed->segments_capacity = made.segments_capacity;
    keyed->live_capacity = made.live_capacity;
    keyed->n_deleted = 0;
    made = (fl_keyed_rows){0};
    for (int64_t s = 0; s < keyed->n_segments; s++)
        for (int64_t start = 0; start < keyed->segments[s]->rows; start += keyed->rows_max) {
            int64_t left = keyed->segments[s]->rows - start;
            int32_t count = left < keyed->rows_max ? (int32_t)left : keyed->rows_max;
            fl_arena_reset(scratch);
            FL_TRY(find_places(keyed, keyed->segments[s], start, count, scratch, err));
            for (int32_t i = 0; i < count; i++)
                *place_of(keyed, keyed->rows[i]) = ((uint64_t)s << PLACE_ROW_BITS | (uint64_t)(start + i)) + 1;
        }
cleanup:
    forget_segments(&made);
    fl_segment_builder_free(builder);
    return st;
}

fl_status fl_keyed_rows_put(fl_keyed_rows *keyed, fl_segment *const *segments, int64_t n, bool keeps_same, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena scratch;
    fl_arena_init(&scratch, keyed->memory);
    if (keyed->n_deleted > keyed->n_live + DELETED_ROWS ||
        keyed->n_segments > SMALL_SEGMENTS + keyed->n_live / SEGMENT_SHARE)
        FL_TRY(put_together(keyed, &scratch, err));
    for (int64_t i = 0; i < n; i++) {
        FL_TRY(add_segment(keyed, segments[i], err));
        FL_TRY(put_segment(keyed, keeps_same, &scratch, err));
    }
cleanup:
    fl_arena_drop(&scratch);
    return st;
}
