/* window: frames whose rows are fed to an aggregate anew, only the new ones where the frame before goes on. */
#include "op/window/anew.h"

#include "exec/sorter.h"

#include <stdlib.h>

#define CHECKED_ROWS 4096 /* are looked at between two looks whether to stop */

/* Whether rows count once, or in an order of their own. */
static bool is_gathered(const window_part *part)
{
    return part->agg->is_distinct || part->agg->n_order > 0;
}

/* ---- preparing ------------------------------------------------------------------------------------------------------ */

void fl_window_feed_anew(window_chunk *c, int32_t number, int64_t stretch)
{
    int64_t end = window_stretch_end(c, stretch);
    for (int64_t row = window_stretch_start(c, stretch); is_gathered(&c->shape->parts[number]) && row < end; row++)
        memcpy(c->rows[row], &row, 8); /* in the place of its hash */
}

/* The chunk's rows in the order of some columns. */
static fl_status sort_chunk(window_chunk *c, const int32_t *cols, const fl_sort_key *keys, int32_t n, uint8_t ***ret,
                            fl_sort_column **ret_columns, fl_err *err)
{
    fl_status st = FL_OK;
    uint8_t **rows = NULL;
    fl_sort_column *columns = NULL;
    FL_TRY(FL_NEW_ARRAY(&c->arena, c->n + 1, &rows, err));
    FL_TRY(FL_NEW_ARRAY(&c->arena, n + 1, &columns, err));
    for (int32_t k = 0; k < n; k++)
        columns[k] = (fl_sort_column){.col = cols[k],
                                      .is_descending = keys != NULL && keys[k].is_descending,
                                      .nulls_first = keys != NULL && keys[k].nulls_first};
    memcpy(rows, c->rows, (size_t)c->n * sizeof(*rows));
    FL_TRY(fl_sort_rows(NULL, c->shape->layout, columns, n, rows, c->n, c->memory, err));
    *ret = rows;
    *ret_columns = columns;
cleanup:
    return st;
}

static int64_t number_of(const uint8_t *row)
{
    return (int64_t)fl_row_hash(row);
}

static fl_status find_ids(window_chunk *c, const window_part *part, window_prepared *p, fl_err *err)
{
    fl_status st = FL_OK;
    uint8_t **rows = NULL;
    fl_sort_column *columns = NULL;
    int64_t id = 0;
    FL_TRY(sort_chunk(c, part->args, NULL, part->agg->n_args, &rows, &columns, err));
    FL_TRY(FL_NEW_ARRAY(p->arena, c->n + 1, &p->ids, err));
    for (int64_t i = 0; i < c->n; i++) {
        if (i % CHECKED_ROWS == 0)
            FL_TRY(fl_exec_check(c->shape->exec, err));
        id += i > 0 && fl_sort_compare(c->shape->layout, columns, part->agg->n_args, rows[i - 1], rows[i]) != 0;
        p->ids[number_of(rows[i])] = id;
    }
    p->n_ids = id + 1;
cleanup:
    return st;
}

static fl_status find_ranks(window_chunk *c, const window_part *part, window_prepared *p, fl_err *err)
{
    fl_status st = FL_OK;
    uint8_t **rows = NULL;
    fl_sort_column *columns = NULL;
    FL_TRY(sort_chunk(c, part->order, part->agg->order, part->agg->n_order, &rows, &columns, err));
    FL_TRY(FL_NEW_ARRAY(p->arena, c->n + 1, &p->ranks, err));
    FL_TRY(FL_NEW_ARRAY(p->arena, c->n + 1, &p->by_rank, err));
    for (int64_t i = 0; i < c->n; i++) {
        if (i % CHECKED_ROWS == 0)
            FL_TRY(fl_exec_check(c->shape->exec, err));
        p->by_rank[i] = number_of(rows[i]);
        p->ranks[p->by_rank[i]] = i;
    }
cleanup:
    return st;
}

static fl_status prepare(window_chunk *c, int32_t number, fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    window_prepared *p = &c->prepared[number];
    int64_t n_blocks = (c->n + c->block_rows - 1) / c->block_rows;
    int32_t n_args = part->agg->n_args;
    p->ids = p->ranks = p->by_rank = NULL;
    p->n_ids = 0;
    FL_TRY(FL_NEW_ARRAY(p->arena, n_blocks * n_args + 1, &p->args, err));
    for (int64_t b = 0; b < n_blocks; b++) {
        int64_t first = b * c->block_rows, rows = c->n - first < c->block_rows ? c->n - first : c->block_rows;
        FL_TRY(fl_window_read_args(c, part, first, (int32_t)rows, p->arena, p->args + b * n_args, err));
        FL_TRY(fl_exec_check(c->shape->exec, err));
    }
    if (part->agg->is_distinct)
        FL_TRY(find_ids(c, part, p, err));
    if (part->agg->n_order > 0)
        FL_TRY(find_ranks(c, part, p, err));
cleanup:
    return st;
}

/* ---- feeding -------------------------------------------------------------------------------------------------------- */

/* Takes what a worker needs for frames of the chunk. */
static fl_status take_state(window_chunk *c, int32_t number, fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    const window_prepared *p = &c->prepared[number];
    window_part_state *s = &c->parts[number];
    uint8_t *state = NULL;
    if (s->state != NULL)
        return FL_OK;
    s->serial = 0;
    FL_TRY(fl_arena_get_zero(&c->arena, part->agg->kernel->state_bytes, (void **)&state, err));
    if (is_gathered(part))
        FL_TRY(fl_arena_get(&c->arena, c->n * 8 + 8, (void **)&s->gathered, err));
    if (p->ids != NULL)
        FL_TRY(FL_NEW_ARRAY(&c->arena, p->n_ids + 1, &s->stamps, err));
    s->state = state;
cleanup:
    return st;
}

typedef enum feeding { FEEDS, SLIDES_IN, SLIDES_OUT } feeding;

/* Feeds rows of one block, c->list; or they go into, or out of, a frame that slides. */
static fl_status feed_list(window_chunk *c, int32_t number, int64_t block, int32_t n, feeding how, fl_err *err)
{
    const window_part *part = &c->shape->parts[number];
    window_part_state *s = &c->parts[number];
    fl_agg_call call = fl_window_call(part, c->prepared[number].args + block * part->agg->n_args, &s->heap);
    if (how != FEEDS)
        return part->agg->kernel->slide(&call, s->state, c->list, n, how == SLIDES_IN, err);
    for (int32_t i = 0; i < n; i++)
        c->states[i] = s->state;
    return n == 0 ? FL_OK : part->agg->kernel->update_groups(&call, c->states, 0, c->list, n, err);
}

static fl_status feed_span(window_chunk *c, int32_t number, window_span span, feeding how, fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    for (int64_t row = span.start; row < span.end;) {
        int64_t block = row / c->block_rows, first = block * c->block_rows;
        int64_t end = span.end < first + c->block_rows ? span.end : first + c->block_rows;
        int32_t n = 0;
        for (; row < end; row++) {
            c->list[n] = (uint16_t)(row - first);
            n += window_is_kept(c, part, row);
        }
        FL_TRY(feed_list(c, number, block, n, how, err));
        FL_TRY(fl_exec_check(c->shape->exec, err));
    }
cleanup:
    return st;
}

static int compare_numbers(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Rows of which each counts once, or in an order of their own. */
static fl_status feed_gathered(window_chunk *c, int32_t number, const window_span *spans, int32_t n_spans, fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    const window_prepared *p = &c->prepared[number];
    window_part_state *s = &c->parts[number];
    int64_t n = 0;
    s->serial++;
    for (int32_t j = 0; j < n_spans; j++)
        for (int64_t row = spans[j].start; row < spans[j].end; row++) {
            if (!window_is_kept(c, part, row) || (p->ids != NULL && s->stamps[p->ids[row]] == s->serial))
                continue;
            if (p->ids != NULL)
                s->stamps[p->ids[row]] = s->serial;
            s->gathered[n++] = p->ranks != NULL ? p->ranks[row] : row;
        }
    if (p->ranks != NULL)
        qsort(s->gathered, (size_t)n, sizeof(*s->gathered), compare_numbers);
    for (int64_t i = 0; i < n; i++) {
        int64_t row = p->ranks != NULL ? p->by_rank[s->gathered[i]] : s->gathered[i];
        c->list[0] = (uint16_t)(row % c->block_rows);
        FL_TRY(feed_list(c, number, row / c->block_rows, 1, FEEDS, err));
        if (i % CHECKED_ROWS == 0)
            FL_TRY(fl_exec_check(c->shape->exec, err));
    }
cleanup:
    return st;
}

static bool is_same_frame(const window_part_state *s, const window_span *spans, int32_t n)
{
    bool is_same = s->result != NULL && n == s->n_last;
    for (int32_t j = 0; j < n && is_same; j++)
        is_same = spans[j].start == s->last[j].start && spans[j].end == s->last[j].end;
    return is_same;
}

/* Whether frames slide: each row goes in once and out once. */
static bool slides(const window_part *part)
{
    return part->agg->kernel->slide != NULL && !is_gathered(part) && !part->is_whole &&
           part->agg->frame->exclude == FL_EXCLUDE_NO_OTHERS;
}

/* Whether the frame goes on from the last one, and less is to be done than to begin anew. */
static bool goes_on(const window_part *part, const window_part_state *s, const window_span *spans, int32_t n)
{
    if (is_gathered(part) || !s->has_state || n != 1 || s->n_last != 1)
        return false;
    window_span now = spans[0], last = s->last[0];
    if (now.start == last.start)
        return now.end >= last.end;
    return slides(part) && now.start > last.start && now.start < last.end && now.end >= last.end &&
           now.start - last.start + now.end - last.end < now.end - now.start;
}

static fl_status feed_frame(window_chunk *c, int32_t number, const window_span *spans, int32_t n, fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    window_part_state *s = &c->parts[number];
    if (goes_on(part, s, spans, n)) {
        FL_TRY(feed_span(c, number, (window_span){s->last[0].start, spans[0].start}, SLIDES_OUT, err));
        return feed_span(c, number, (window_span){s->last[0].end, spans[0].end}, slides(part) ? SLIDES_IN : FEEDS, err);
    }
    fl_arena_reset(&s->heap);
    memset(s->state, 0, (size_t)part->agg->kernel->state_bytes);
    s->has_state = true;
    if (is_gathered(part))
        return feed_gathered(c, number, spans, n, err);
    for (int32_t j = 0; j < n; j++)
        FL_TRY(feed_span(c, number, spans[j], FEEDS, err));
    if (slides(part))
        st = feed_list(c, number, 0, 0, SLIDES_IN, err);
cleanup:
    return st;
}

/* The result of a frame, as a row in the arena. */
static fl_status find_result(window_chunk *c, int32_t number, const window_span *spans, int32_t n, fl_arena *arena,
                             fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    window_part_state *s = &c->parts[number];
    fl_vec result;
    uint8_t *row = NULL;
    if (is_same_frame(s, spans, n))
        return FL_OK;
    FL_TRY(feed_frame(c, number, spans, n, err));
    memcpy(s->last, spans, (size_t)n * sizeof(*spans));
    s->n_last = n;
    fl_arena_reset(&c->scratch);
    c->states[0] = s->state;
    FL_TRY(fl_window_finish(c, part, 1, &c->scratch, &result, err));
    FL_TRY(fl_arena_get_zero(arena, part->result.bytes, (void **)&row, err));
    c->list[0] = 0;
    FL_TRY(fl_rows_write(&part->result, 0, &result, c->list, 1, &row, arena, err));
    s->result = row;
cleanup:
    return st;
}

fl_status fl_window_find_anew(window_chunk *c, int32_t number, const window_batch *batch, uint8_t **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    FL_TRY(take_state(c, number, err));
    fl_window_frames(c, number, batch);
    for (int32_t i = 0; i < batch->rows; i++) {
        window_span spans[3];
        int32_t n = fl_window_spans(c, part, batch, i, spans);
        FL_TRY(find_result(c, number, spans, n, &c->results, err));
        ret[i] = c->parts[number].result;
    }
cleanup:
    return st;
}

fl_status fl_window_join_anew(window_chunk *c, int32_t number, fl_err *err)
{
    fl_status st = FL_OK;
    const window_part *part = &c->shape->parts[number];
    FL_TRY(prepare(c, number, err));
    if (!part->is_whole || c->n_stretches == 1) /* chunks of several partitions find them one after the other */
        return FL_OK;
    FL_TRY(take_state(c, number, err));
    FL_TRY(find_result(c, number, &(window_span){0, c->n}, 1, c->prepared[number].arena, err));
    c->prepared[number].results = c->parts[number].result;
cleanup:
    return st;
}
