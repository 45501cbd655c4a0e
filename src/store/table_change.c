/* Changing rows: marks first, then segment by segment. */
#include "store/table_change.h"

#include "base/interrupt.h"
#include "store/memory_table.h"

#define REWRITE_PART 5   /* a segment is put together anew when more than one row in so many is deleted */
#define BLOCK_ROWS 2048  /* rows that are looked at together; a multiple of 64 */
#define PIECE_ROWS 16384 /* of those that are added to a builder between two looks whether to stop */

void fl_table_change_init(fl_table_change *change, fl_memory *keep, fl_memory *statement, const fl_field *fields,
                          fl_segment *const *old, int64_t n_old)
{
    *change = (fl_table_change){.keep = keep, .fields = fields, .old = old, .n_old = n_old};
    fl_arena_init(&change->arena, statement);
}

void fl_table_change_drop(fl_table_change *change)
{
    for (int64_t i = 0; i < change->n_segments; i++)
        fl_segment_unref(change->segments[i]);
    fl_free(change->segments);
    fl_arena_drop(&change->arena);
    *change = (fl_table_change){0};
}

static fl_status stop_check(const fl_table_change *change, fl_err *err)
{
    const fl_memory *memory = change->arena.memory;
    return fl_interrupt_check(memory == NULL ? NULL : memory->interrupt, err);
}

static const int64_t *places_of(const fl_segment *rows)
{
    return rows->vecs[0].data;
}

fl_status fl_table_change_mark(fl_table_change *change, fl_segment *const *rows, int64_t n_rows, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(FL_NEW_ARRAY(&change->arena, change->n_old + 1, &change->marks, err));
    FL_TRY(FL_NEW_ARRAY(&change->arena, change->n_old + 1, &change->n_marked, err));
    for (int64_t r = 0; r < n_rows; r++) {
        const int64_t *places = places_of(rows[r]);
        FL_ASSERT(rows[r]->vecs[0].layout == FL_FLAT && rows[r]->vecs[0].width == 8);
        for (int64_t i = 0; i < rows[r]->rows; i++) {
            int64_t s = fl_row_place_segment(places[i]), row = fl_row_place_row(places[i]);
            FL_ASSERT(s < change->n_old && row < change->old[s]->rows);
            if (change->marks[s] == NULL)
                FL_TRY(FL_NEW_ARRAY(&change->arena, fl_bitmap_words(change->old[s]->rows) + 1, &change->marks[s], err));
            FL_ASSERT(!fl_bit_get(change->marks[s], row) && fl_segment_is_live(change->old[s], row));
            fl_bit_set(change->marks[s], row);
            change->n_marked[s]++;
        }
        change->n_changed += rows[r]->rows;
        FL_TRY(stop_check(change, err));
    }
cleanup:
    return st;
}

/* ---- parts: what is made by one worker ------------------------------------------------------------------------------ */

/* The rows that are assigned: where the next one is. */
typedef struct cursor {
    fl_segment *const *rows;
    int64_t n_rows;
    int64_t segment;
    int64_t row;
} cursor;

typedef struct part part;

typedef struct work {
    fl_table_change *change;
    part *parts;
    int64_t n_parts;
    const int32_t *cols; /* that are assigned */
    int32_t n_cols;
} work;

/* Old segments, and how new ones are made of them: mostly one of one. */
struct part {
    fl_status (*make)(work *w, part *p, fl_err *err);
    int64_t first, n; /* of the old segments */
    int64_t rows;     /* that will be put together */
    cursor at;        /* the first of the rows that are assigned */
    fl_segment **made;
    int64_t n_made, made_capacity;
};

/* Takes over the segment. */
static fl_status add_made(work *w, part *p, fl_segment *segment, fl_err *err)
{
    return fl_segment_list_add(w->change->arena.memory, &p->made, &p->n_made, &p->made_capacity, segment, err);
}

static fl_status make_same(work *w, part *p, fl_err *err)
{
    return add_made(w, p, fl_segment_ref(w->change->old[p->first]), err);
}

static part *add_part(work *w, fl_status (*make)(work *w, part *p, fl_err *err), int64_t s)
{
    part *p = &w->parts[w->n_parts++];
    *p = (part){.make = make, .first = s, .n = 1};
    return p;
}

static fl_status init_work(work *w, fl_table_change *change, fl_err *err)
{
    *w = (work){.change = change};
    return FL_NEW_ARRAY(&change->arena, change->n_old + 1, &w->parts, err);
}

static fl_status make_part(void *ctx, int32_t i, fl_err *err)
{
    work *w = ctx;
    return w->parts[i].make(w, &w->parts[i], err);
}

/* Makes all parts; what they made is the new version. */
static fl_status run(work *w, fl_err *err)
{
    fl_status st = FL_OK;
    fl_table_change *change = w->change;
    const fl_memory *memory = change->arena.memory;
    int64_t n = 0, capacity = 0;
    FL_TRY(fl_workers_each(change->workers, change->n_workers, (int32_t)w->n_parts, make_part, w,
                           memory == NULL ? NULL : memory->interrupt, err));
    for (int64_t i = 0; i < w->n_parts; i++)
        n += w->parts[i].n_made;
    FL_TRY(fl_grow(change->arena.memory, (void **)&change->segments, &capacity, n, (int64_t)sizeof(*change->segments),
                   err));
    for (int64_t i = 0; i < w->n_parts; i++) {
        part *p = &w->parts[i];
        for (int64_t m = 0; m < p->n_made; m++)
            change->segments[change->n_segments++] = p->made[m];
        p->n_made = 0;
    }
cleanup:
    for (int64_t i = 0; i < w->n_parts; i++) {
        for (int64_t m = 0; m < w->parts[i].n_made; m++)
            fl_segment_unref(w->parts[i].made[m]);
        fl_free(w->parts[i].made);
    }
    return st;
}

static fl_status new_builder(const fl_table_change *change, const int32_t *cols, int32_t n, fl_segment_builder **ret,
                             fl_err *err)
{
    fl_status st = FL_OK;
    fl_type *types = NULL;
    FL_TRY(fl_alloc(change->arena.memory, (n + 1) * (int64_t)sizeof(fl_type), (void **)&types, err));
    for (int32_t i = 0; i < n; i++)
        types[i] = change->fields[cols == NULL ? i : cols[i]].type;
    st = fl_segment_builder_new(change->keep, types, n, FL_SEGMENT_TABLE, ret, err);
cleanup:
    fl_free(types);
    return st;
}

static int64_t live_rows(fl_segment *const *segments, int64_t n)
{
    int64_t rows = 0;
    for (int64_t i = 0; i < n; i++)
        rows += fl_segment_live_rows(segments[i]);
    return rows;
}

/* ---- deleting ----------------------------------------------------------------------------------------------------- */

static int64_t count_left(const fl_table_change *change, int64_t s)
{
    return fl_segment_live_rows(change->old[s]) - (change->marks[s] == NULL ? 0 : change->n_marked[s]);
}

/* The segment without its marked rows, which stay where they are. */
static fl_status hide_rows(const fl_table_change *change, int64_t s, fl_segment **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_segment *old = change->old[s];
    uint64_t *live = NULL;
    int64_t words = fl_bitmap_words(old->rows);
    FL_TRY(fl_alloc(change->arena.memory, words * 8 + 8, (void **)&live, err));
    for (int64_t w = 0; w < words; w++)
        live[w] = (old->live == NULL ? ~0ull : old->live[w]) & ~change->marks[s][w];
    st = fl_segment_share(change->keep, old, NULL, live, ret, err);
cleanup:
    fl_free(live);
    return st;
}

static fl_status make_masked(work *w, part *p, fl_err *err)
{
    fl_segment *left = NULL;
    fl_status st = hide_rows(w->change, p->first, &left, err);
    return st == FL_OK ? add_made(w, p, left, err) : st;
}

static fl_status finish(work *w, part *p, fl_segment_builder *builder, fl_err *err)
{
    fl_segment *made = NULL;
    if (fl_segment_builder_rows(builder) == 0)
        return FL_OK;
    fl_status st = fl_segment_builder_finish(builder, &made, err);
    return st == FL_OK ? add_made(w, p, made, err) : st;
}

static fl_status put_segment(work *w, part *p, int64_t s, fl_segment_builder *builder, fl_err *err)
{
    fl_status st = FL_OK;
    fl_segment *left = NULL;
    FL_TRY(hide_rows(w->change, s, &left, err));
    for (int64_t start = 0; start < left->rows; start += PIECE_ROWS) {
        int64_t count = left->rows - start;
        FL_TRY(stop_check(w->change, err));
        FL_TRY(
            fl_segment_builder_add_live(builder, left, start, (int32_t)(count < PIECE_ROWS ? count : PIECE_ROWS), err));
        if (fl_segment_builder_is_full(builder))
            FL_TRY(finish(w, p, builder, err));
    }
cleanup:
    fl_segment_unref(left);
    return st;
}

/* What is left of several segments, put together anew. */
static fl_status make_together(work *w, part *p, fl_err *err)
{
    fl_status st = FL_OK;
    fl_segment_builder *builder = NULL;
    FL_TRY(new_builder(w->change, NULL, w->change->old[p->first]->n_cols, &builder, err));
    for (int64_t s = p->first; s < p->first + p->n; s++)
        if (count_left(w->change, s) > 0)
            FL_TRY(put_segment(w, p, s, builder, err));
    st = finish(w, p, builder, err);
cleanup:
    fl_segment_builder_free(builder);
    return st;
}

fl_status fl_table_change_delete(fl_table_change *change, fl_err *err)
{
    fl_status st = FL_OK;
    work w;
    part *together = NULL; /* the last part, if more can go into it */
    FL_TRY(init_work(&w, change, err));
    for (int64_t s = 0; s < change->n_old; s++) {
        int64_t left = count_left(change, s), rows = change->old[s]->rows;
        if (change->marks[s] == NULL || (left > 0 && rows - left <= rows / REWRITE_PART)) {
            add_part(&w, change->marks[s] == NULL ? make_same : make_masked, s);
            together = NULL;
            continue;
        }
        if (together == NULL)
            together = add_part(&w, make_together, s);
        together->n = s + 1 - together->first;
        together->rows += left;
        if (together->rows >= FL_SEGMENT_ROWS)
            together = NULL;
    }
    FL_TRY(run(&w, err));
    FL_ASSERT(live_rows(change->segments, change->n_segments) ==
              live_rows(change->old, change->n_old) - change->n_changed);
cleanup:
    return st;
}

/* ---- updating ----------------------------------------------------------------------------------------------------- */

/* How many of the next rows, which lie in one segment of theirs, go to places before `end`. */
static int64_t count_before(cursor *at, int64_t end)
{
    int64_t n = 0;
    while (at->segment < at->n_rows && at->row == at->rows[at->segment]->rows)
        *at = (cursor){at->rows, at->n_rows, at->segment + 1, 0};
    if (at->segment == at->n_rows)
        return 0;
    const fl_segment *segment = at->rows[at->segment];
    while (at->row + n < segment->rows && places_of(segment)[at->row + n] < end)
        n++;
    return n;
}

/* Puts new values, of the rows at places[0 .. n) - first, into `count` old ones. */
static fl_status blend(fl_arena *arena, const fl_vec *old, int64_t count, const fl_vec *values, const int64_t *places,
                       int64_t n, int64_t first, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec from, to;
    uint64_t *valid = NULL;
    uint8_t *data = NULL;
    FL_TRY(fl_vec_flatten(arena, old, count, &to, err));
    FL_TRY(fl_vec_flatten(arena, values, n, &from, err));
    int64_t width = to.type.id == FL_BOOL ? 0 : to.width;
    FL_TRY(fl_arena_get(arena, count * width + fl_bitmap_words(count) * 8, (void **)&data, err));
    if (width == 0)
        fl_bitmap_copy((uint64_t *)data, to.data, 0, count);
    else
        memcpy(data, to.data, (size_t)(count * width));
    for (int64_t i = 0; i < n; i++) {
        int64_t row = places[i] - first;
        if (width == 0)
            fl_bit_put((uint64_t *)data, row, fl_bit_get(from.data, i));
        else
            memcpy(data + row * width, (const uint8_t *)from.data + i * width, (size_t)width);
    }
    if (to.valid != NULL || from.valid != NULL) {
        FL_TRY(FL_NEW_ARRAY(arena, fl_bitmap_words(count) + 1, &valid, err));
        for (int64_t i = 0; i < count; i++)
            fl_bit_put(valid, i, fl_is_valid(to.valid, i));
        for (int64_t i = 0; i < n; i++)
            fl_bit_put(valid, places[i] - first, fl_is_valid(from.valid, i));
    }
    fl_vec_set_flat(ret, to.type, data, valid);
cleanup:
    return st;
}

/* Adds `count` rows of a column to the builder: the cursor's next n ones at their places, the others as they were. */
static fl_status add_block(fl_segment_builder *builder, fl_arena *scratch, const fl_vec *old, int64_t start,
                           int64_t count, int64_t first, const fl_vec *values, const int64_t *places, int64_t row,
                           int64_t n, fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec from, to;
    FL_TRY(fl_vec_slice(scratch, old, start, count, &to, err));
    if (n == 0)
        return fl_segment_builder_add(builder, &to, NULL, (int32_t)count, err);
    FL_TRY(fl_vec_slice(scratch, values, row, n, &from, err));
    if (n == count)
        return fl_segment_builder_add(builder, &from, NULL, (int32_t)n, err);
    if (!fl_type_is_nested(to.type) && to.type.id != FL_NULL) {
        FL_TRY(blend(scratch, &to, count, &from, places + row, n, first + start, &to, err));
        return fl_segment_builder_add(builder, &to, NULL, (int32_t)count, err);
    }
    for (int64_t i = 0; i <= n; i++) { /* lists and structs: the old ones before each new one */
        int64_t end = i < n ? places[row + i] - first : start + count;
        fl_vec piece;
        if (end > start) {
            FL_TRY(fl_vec_slice(scratch, old, start, end - start, &piece, err));
            FL_TRY(fl_segment_builder_add(builder, &piece, NULL, (int32_t)(end - start), err));
        }
        if (i < n) {
            FL_TRY(fl_vec_slice(scratch, values, row + i, 1, &piece, err));
            FL_TRY(fl_segment_builder_add(builder, &piece, NULL, 1, err));
        }
        count -= end - start + 1;
        start = end + 1;
    }
cleanup:
    return st;
}

/* Where the rows end that are as they were, from `start` on: at a multiple of 64, or with the segment. */
static int64_t end_of_old(const cursor *at, int64_t s, int64_t start, int64_t rows)
{
    int64_t end = start + PIECE_ROWS < rows ? start + PIECE_ROWS : rows;
    if (at->segment == at->n_rows)
        return end;
    int64_t next = places_of(at->rows[at->segment])[at->row];
    int64_t row = fl_row_place_row(next) / 64 * 64;
    return fl_row_place_segment(next) == s && row < end ? row : end;
}

/* The column `col` of a segment with the cursor's rows in it, of which the values are column `value`. */
static fl_status make_column(fl_table_change *change, int64_t s, int32_t col, int32_t value, cursor *at,
                             fl_segment **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_segment *old = change->old[s];
    int64_t first = fl_row_place(s, 0);
    fl_segment_builder *builder = NULL;
    fl_arena scratch;
    fl_arena_init(&scratch, change->arena.memory);
    FL_TRY(new_builder(change, &col, 1, &builder, err));
    for (int64_t start = 0; start < old->rows;) {
        int64_t end = start + BLOCK_ROWS < old->rows ? start + BLOCK_ROWS : old->rows;
        int64_t n = count_before(at, first + end);
        if (n == 0)
            end = end_of_old(at, s, start, old->rows);
        const fl_segment *rows = at->segment < at->n_rows ? at->rows[at->segment] : NULL;
        if (n > 0 && at->row + n == rows->rows) /* the next of their segments may have others of this block */
            end = fl_row_place_row(places_of(rows)[at->row + n - 1]) + 1;
        FL_TRY(add_block(builder, &scratch, &old->vecs[col], start, end - start, first,
                         n > 0 ? &rows->vecs[value] : NULL, n > 0 ? places_of(rows) : NULL, at->row, n, err));
        at->row += n;
        start = end;
        fl_arena_reset(&scratch);
        FL_TRY(stop_check(change, err));
    }
    FL_TRY(fl_segment_builder_finish(builder, ret, err));
cleanup:
    fl_segment_builder_free(builder);
    fl_arena_drop(&scratch);
    return st;
}

static fl_status make_updated(work *w, part *p, fl_err *err)
{
    fl_status st = FL_OK;
    fl_table_change *change = w->change;
    fl_segment **columns = NULL, *made = NULL, *old = change->old[p->first];
    FL_TRY(fl_alloc_zero(change->arena.memory, (old->n_cols + 1) * (int64_t)sizeof(*columns), (void **)&columns, err));
    for (int32_t i = 0; i < w->n_cols; i++) {
        cursor at = p->at;
        FL_TRY(make_column(change, p->first, w->cols[i], 1 + i, &at, &columns[w->cols[i]], err));
    }
    FL_TRY(fl_segment_share(change->keep, old, columns, NULL, &made, err));
    st = add_made(w, p, made, err);
cleanup:
    for (int32_t c = 0; columns != NULL && c < old->n_cols; c++)
        fl_segment_unref(columns[c]);
    fl_free(columns);
    return st;
}

static void pass(cursor *at, int64_t n)
{
    while (n > 0) {
        int64_t left = at->rows[at->segment]->rows - at->row, step = n < left ? n : left;
        at->row += step;
        n -= step;
        if (step == left)
            *at = (cursor){at->rows, at->n_rows, at->segment + 1, 0};
    }
}

fl_status fl_table_change_update(fl_table_change *change, fl_segment *const *rows, int64_t n_rows, const int32_t *cols,
                                 int32_t n, fl_err *err)
{
    fl_status st = FL_OK;
    cursor at = {.rows = rows, .n_rows = n_rows};
    work w;
    FL_TRY(init_work(&w, change, err));
    w.cols = cols;
    w.n_cols = n;
    for (int64_t s = 0; s < change->n_old; s++) {
        part *p = add_part(&w, change->marks[s] == NULL ? make_same : make_updated, s);
        p->at = at;
        pass(&at, change->n_marked[s]);
    }
    FL_ASSERT(count_before(&at, INT64_MAX) == 0); /* each row has gone to its segment */
    FL_TRY(run(&w, err));
    FL_ASSERT(change->n_segments == change->n_old);
cleanup:
    return st;
}
