/* window: functions of windows only. Ranks are counted; others give a value of another row, which is read where it lies. */
#include "op/window/run.h"

#include <math.h>

/* ---- ranks ---------------------------------------------------------------------------------------------------------- */

static fl_status rank_of(const window_chunk *c, const window_part *part, const window_batch *batch, int32_t i,
                         int64_t *ret, bool *ret_is_null, fl_err *err)
{
    int64_t p = c->partition[i], first = c->partitions[p], rows = c->partitions[p + 1] - first;
    int64_t at = batch->first + i - first, buckets;
    int64_t rows_before = p == 0 ? c->rows_before : 0, peers_before = p == 0 ? c->peers_before : 0;
    const fl_row_layout *layout = c->shape->layout;
    switch (part->agg->agg->window) {
    case FL_OVER_ROW_NUMBER:
        *ret = rows_before + at + 1;
        return FL_OK;
    case FL_OVER_RANK:
        *ret = rows_before + c->peers[c->peer[i]] - first + 1;
        return FL_OK;
    case FL_OVER_DENSE_RANK:
        *ret = peers_before + c->peer[i] - c->first_peers[p] + 1;
        return FL_OK;
    default:
        break;
    }
    *ret_is_null = fl_row_is_null(layout, c->rows[batch->first + i], part->args[0]);
    if (*ret_is_null)
        return FL_OK;
    memcpy(&buckets, c->rows[batch->first + i] + layout->offsets[part->args[0]], 8);
    if (buckets <= 0)
        return fl_err_state(
            err, "22014",
            FL_FAIL(err, FL_ERR_RANGE, "ntile takes a number of buckets above zero, not %lld", (long long)buckets));
    int64_t size = rows / buckets, larger = rows % buckets; /* the first ones have a row more */
    *ret = at < larger * (size + 1) ? at / (size + 1) + 1 : (at - larger * (size + 1)) / size + larger + 1;
    return FL_OK;
}

static double share_of(const window_chunk *c, const window_part *part, int32_t i)
{
    int64_t p = c->partition[i], first = c->partitions[p], rows = c->partitions[p + 1] - first;
    if (part->agg->agg->window == FL_OVER_CUME_DIST)
        return (double)(c->peers[c->peer[i] + 1] - first) / (double)rows;
    return rows == 1 ? 0 : (double)(c->peers[c->peer[i]] - first) / (double)(rows - 1);
}

static fl_status ranks(const window_chunk *c, const window_part *part, const window_batch *batch, fl_arena *arena,
                       fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t *data = NULL;
    uint64_t *valid = NULL;
    int64_t words = fl_bitmap_words(batch->rows);
    bool is_share = part->agg->type.id == FL_F64;
    FL_TRY(fl_arena_get(arena, (int64_t)batch->rows * 8 + 64, (void **)&data, err));
    for (int32_t i = 0; i < batch->rows; i++) {
        bool is_null = false;
        if (is_share) {
            ((double *)data)[i] = share_of(c, part, i);
            continue;
        }
        data[i] = 0;
        FL_TRY(rank_of(c, part, batch, i, &data[i], &is_null, err));
        if (!is_null)
            continue;
        if (valid == NULL) {
            FL_TRY(fl_arena_get(arena, words * 8 + 8, (void **)&valid, err));
            fl_bitmap_fill(valid, batch->rows, true);
        }
        fl_bit_clear(valid, i);
    }
    fl_vec_set_flat(ret, part->agg->type, data, valid);
cleanup:
    return st;
}

/* ---- values of other rows ------------------------------------------------------------------------------------------- */

/* Where rows with nulls are passed over: which rows have a value. Stretches count from their own start at first. */
fl_status fl_window_begin_values(window_chunk *c, int32_t number, fl_err *err)
{
    fl_status st = FL_OK;
    window_prepared *p = &c->prepared[number];
    p->counts = p->positions = p->n_values = NULL;
    if (!c->shape->parts[number].agg->frame->ignores_nulls)
        return FL_OK;
    FL_TRY(fl_arena_get(p->arena, (c->n + 1) * 8, (void **)&p->counts, err));
    FL_TRY(fl_arena_get(p->arena, (c->n + 1) * 8, (void **)&p->positions, err));
    FL_TRY(fl_arena_get(p->arena, (c->n_stretches + 1) * 8, (void **)&p->n_values, err));
cleanup:
    return st;
}

void fl_window_feed_values(window_chunk *c, int32_t number, int64_t stretch)
{
    window_prepared *p = &c->prepared[number];
    int32_t col = c->shape->parts[number].args[0];
    int64_t first = window_stretch_start(c, stretch), end = window_stretch_end(c, stretch), n = 0;
    if (p->counts == NULL)
        return;
    for (int64_t row = first; row < end; row++) {
        p->counts[row] = n;
        if (!fl_row_is_null(c->shape->layout, c->rows[row], col))
            p->positions[first + n++] = row;
    }
    p->n_values[stretch] = n;
}

void fl_window_join_values(window_chunk *c, int32_t number)
{
    window_prepared *p = &c->prepared[number];
    int64_t n = 0;
    for (int64_t stretch = 0; p->counts != NULL && stretch < c->n_stretches; stretch++) {
        int64_t count = p->n_values[stretch];
        memmove(p->positions + n, p->positions + window_stretch_start(c, stretch), (size_t)count * 8);
        p->n_values[stretch] = n;
        n += count;
    }
    if (p->counts != NULL)
        p->counts[c->n] = n;
}

void fl_window_spread_values(window_chunk *c, int32_t number, int64_t stretch)
{
    window_prepared *p = &c->prepared[number];
    int64_t end = window_stretch_end(c, stretch);
    if (p->counts == NULL || stretch == 0)
        return;
    for (int64_t row = window_stretch_start(c, stretch); row < end; row++)
        p->counts[row] += p->n_values[stretch];
}

/* An argument that is a whole number; false: it is null. */
static bool read_number(const window_chunk *c, int32_t col, int64_t row, int64_t *ret)
{
    const fl_row_layout *layout = c->shape->layout;
    if (fl_row_is_null(layout, c->rows[row], col))
        return false;
    memcpy(ret, c->rows[row] + layout->offsets[col], 8);
    return true;
}

/* The row so many places away among those that count; -1: it is not in the partition. */
static int64_t shifted(const window_chunk *c, const window_prepared *p, int32_t i, int64_t row, int64_t back)
{
    int64_t first = window_partition_start(c, i), end = window_partition_end(c, i);
    if (back == 0)
        return row;
    if (p->counts == NULL) {
        if (back > 0)
            return back > row - first ? -1 : row - back;
        return back <= row - end ? -1 : row - back; /* end - row places are left, that of the row itself among them */
    }
    if (back > 0)
        return back > p->counts[row] - p->counts[first] ? -1 : p->positions[p->counts[row] - back];
    int64_t left = p->counts[end] - p->counts[row + 1];
    return back < -left ? -1 : p->positions[p->counts[row + 1] - back - 1];
}

/* A row that has the default in the argument's place. */
static fl_status take_default(const window_chunk *c, const window_part *part, int64_t row, fl_arena *arena,
                              uint8_t **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_row_layout *layout = c->shape->layout;
    int32_t to = part->args[0], from = part->args[2];
    uint8_t *copy = NULL;
    *ret = NULL;
    if (fl_row_is_null(layout, c->rows[row], from))
        return FL_OK;
    if (to == from) {
        *ret = c->rows[row];
        return FL_OK;
    }
    FL_TRY(fl_arena_get(arena, layout->bytes, (void **)&copy, err));
    memcpy(copy, c->rows[row], (size_t)layout->bytes);
    fl_type type = layout->types[to];
    int32_t width = type.id == FL_BOOL || type.id == FL_NULL ? 1 : fl_type_is_nested(type) ? 8 : fl_type_width(type);
    memcpy(copy + layout->offsets[to], c->rows[row] + layout->offsets[from], (size_t)width);
    copy[layout->nulls_offset + (to >> 3)] &= (uint8_t)~(1u << (to & 7));
    *ret = copy;
cleanup:
    return st;
}

static fl_status find_shifted(const window_chunk *c, const window_part *part, const window_prepared *p,
                              const window_batch *batch, int32_t i, fl_arena *arena, uint8_t **ret, fl_err *err)
{
    int64_t row = batch->first + i, offset = 1;
    *ret = NULL;
    if (part->agg->n_args > 1 && !read_number(c, part->args[1], row, &offset))
        return FL_OK;
    if (part->agg->agg->window == FL_OVER_LEAD)
        offset = offset == INT64_MIN ? INT64_MAX : -offset;
    int64_t from = shifted(c, p, i, row, offset);
    if (from >= 0)
        *ret = c->rows[from];
    else if (part->agg->n_args > 2)
        return take_default(c, part, row, arena, ret, err);
    return FL_OK;
}

static int64_t count_rows(const window_prepared *p, window_span span)
{
    return p->counts == NULL ? span.end - span.start : p->counts[span.end] - p->counts[span.start];
}

/* The k-th row, from 0, of those in the spans that count; -1: there are fewer. */
static int64_t find_nth(const window_prepared *p, const window_span *spans, int32_t n, int64_t k)
{
    for (int32_t i = 0; i < n; i++) {
        int64_t rows = count_rows(p, spans[i]);
        if (k < rows)
            return p->counts == NULL ? spans[i].start + k : p->positions[p->counts[spans[i].start] + k];
        k -= rows;
    }
    return -1;
}

static fl_status find_in_frame(const window_chunk *c, const window_part *part, const window_prepared *p,
                               const window_batch *batch, int32_t i, uint8_t **ret, fl_err *err)
{
    window_span spans[3];
    int32_t n = fl_window_spans(c, part, batch, i, spans);
    int64_t k = 0;
    *ret = NULL;
    if (part->agg->agg->window == FL_OVER_NTH_VALUE) {
        if (!read_number(c, part->args[1], batch->first + i, &k))
            return FL_OK;
        if (k <= 0)
            return fl_err_state(
                err, "22016",
                FL_FAIL(err, FL_ERR_RANGE, "nth_value takes a number above zero, not %lld", (long long)k));
        k--;
    } else if (part->agg->agg->window == FL_OVER_LAST_VALUE) {
        k = -1;
        for (int32_t j = 0; j < n; j++)
            k += count_rows(p, spans[j]);
        if (k < 0)
            return FL_OK;
    }
    int64_t row = find_nth(p, spans, n, k);
    if (row >= 0)
        *ret = c->rows[row];
    return FL_OK;
}

fl_status fl_window_values(window_chunk *c, int32_t number, const window_batch *batch, fl_arena *arena, fl_vec *ret,
                           fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    const window_prepared *p = &c->prepared[number];
    uint8_t window = part->agg->agg->window;
    if (window < FL_OVER_LAG)
        return ranks(c, part, batch, arena, ret, err);
    if (window >= FL_OVER_FIRST_VALUE)
        fl_window_frames(c, number, batch);
    for (int32_t i = 0; i < batch->rows; i++) {
        if (window < FL_OVER_FIRST_VALUE)
            FL_TRY(find_shifted(c, part, p, batch, i, arena, &c->pointers[i], err));
        else
            FL_TRY(find_in_frame(c, part, p, batch, i, &c->pointers[i], err));
    }
    st = fl_rows_read(c->shape->layout, part->args[0], c->pointers, batch->rows, arena, ret, err);
cleanup:
    return st;
}
