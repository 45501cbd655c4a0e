/* window: a chunk of rows. It is noted where partitions and groups of peers begin, each function prepares what it needs of all rows, then
 * batches are put out. */
#include "op/window/run.h"

#define PREFETCHED_ROWS 32
#define CACHE_LINE_BYTES 64

void fl_window_chunk_drop(window_chunk *c)
{
    for (int32_t i = 0; c->parts != NULL && i < c->shape->n_parts; i++) {
        fl_arena_drop(&c->parts[i].heap);
        fl_free(c->parts[i].carry);
    }
    for (int32_t i = 0; c->own != NULL && i < c->shape->n_parts; i++)
        fl_free(c->own[i].segments);
    fl_free(c->parts);
    fl_free(c->own);
    fl_free(c->partition);
    fl_free(c->pointers);
    fl_free(c->list);
    fl_arena_drop(&c->arena);
    fl_arena_drop(&c->scratch);
    fl_arena_drop(&c->results);
}

fl_status fl_window_chunk_init(window_chunk *c, const window_shape *shape, fl_err *err)
{
    fl_status st = FL_OK;
    fl_memory *memory = shape->exec->context.memory;
    int32_t rows = shape->exec->context.session->vector_rows;
    *c = (window_chunk){.shape = shape, .memory = memory, .block_rows = rows};
    fl_arena_init(&c->arena, memory);
    fl_arena_init(&c->scratch, memory);
    fl_arena_init(&c->results, memory);
    FL_TRY(fl_alloc_zero(memory, shape->n_parts * (int64_t)sizeof(*c->parts) + 1, (void **)&c->parts, err));
    FL_TRY(fl_alloc_zero(memory, shape->n_parts * (int64_t)sizeof(*c->own) + 1, (void **)&c->own, err));
    for (int32_t i = 0; i < shape->n_parts; i++) {
        c->own[i].arena = &c->arena;
        fl_arena_init(&c->parts[i].heap, memory);
        if (shape->is_streamed && shape->parts[i].feed != WINDOW_NO_FEED)
            FL_TRY(fl_alloc_zero(memory, shape->parts[i].agg->kernel->state_bytes, (void **)&c->parts[i].carry, err));
    }
    FL_TRY(fl_alloc(memory, rows * 4ll * 8 + 64, (void **)&c->partition, err));
    c->peer = c->partition + rows;
    c->start = c->peer + rows;
    c->end = c->start + rows;
    FL_TRY(fl_alloc(memory, rows * 2ll * 8 + 64, (void **)&c->pointers, err));
    c->states = c->pointers + rows;
    FL_TRY(fl_alloc(memory, rows * 2ll + 64, (void **)&c->list, err));
cleanup:
    return st;
}

/* ---- preparing ------------------------------------------------------------------------------------------------------ */

fl_status fl_window_begin(window_chunk *c, int32_t part, fl_err *err)
{
    bool is_fed = c->shape->parts[part].feed != WINDOW_NO_FEED;
    return is_fed ? fl_window_begin_aggregate(c, part, err) : fl_window_begin_values(c, part, err);
}

fl_status fl_window_feed(window_chunk *c, int32_t part, int64_t stretch, fl_err *err)
{
    if (c->shape->parts[part].feed != WINDOW_NO_FEED)
        return fl_window_feed_aggregate(c, part, stretch, err);
    fl_window_feed_values(c, part, stretch);
    return FL_OK;
}

fl_status fl_window_join(window_chunk *c, int32_t part, fl_err *err)
{
    if (c->shape->parts[part].feed != WINDOW_NO_FEED)
        return fl_window_join_aggregate(c, part, err);
    fl_window_join_values(c, part);
    return FL_OK;
}

fl_status fl_window_spread(window_chunk *c, int32_t part, int64_t stretch, fl_err *err)
{
    if (c->shape->parts[part].feed != WINDOW_NO_FEED)
        return fl_window_spread_aggregate(c, part, stretch, err);
    fl_window_spread_values(c, part, stretch);
    return FL_OK;
}

void fl_window_restart(window_chunk *c, bool is_new)
{
    fl_arena_reset(&c->results);
    for (int32_t i = 0; i < c->shape->n_parts; i++) {
        window_part_state *s = &c->parts[i];
        s->partition = -1;
        s->has_state = false;
        s->result = NULL;
        if (is_new) {
            s->state = NULL;
            fl_arena_drop(&s->heap);
        }
    }
}

static void prefetch(const window_chunk *c, int64_t row)
{
    const uint8_t *next = c->rows[row];
    for (int32_t at = 0; at < c->shape->layout->bytes; at += CACHE_LINE_BYTES)
        __builtin_prefetch(next + at);
    __builtin_prefetch(next + c->shape->layout->bytes - 1); /* rows begin anywhere in a line */
}

/* Whether two rows of a partition are the same in a key of the order; most are of these types. */
static inline bool is_same_key(const fl_row_layout *layout, int32_t col, const uint8_t *a, const uint8_t *b)
{
    int32_t at = layout->offsets[col], null_byte = layout->nulls_offset + (col >> 3);
    bool has_null = ((a[null_byte] | b[null_byte]) >> (col & 7) & 1) != 0;
    switch (layout->types[col].id) {
    case FL_I32:
    case FL_DATE:
        if (!has_null)
            return memcmp(a + at, b + at, 4) == 0;
        break;
    case FL_I64:
    case FL_TIMESTAMP:
        if (!has_null)
            return memcmp(a + at, b + at, 8) == 0;
        break;
    case FL_F64:
        if (!has_null && memcmp(a + at, b + at, 8) == 0)
            return true;
        break;
    default:
        break;
    }
    return fl_rows_same_col(layout, col, a, b);
}

static bool are_peers(const window_shape *shape, const uint8_t *a, const uint8_t *b)
{
    for (int32_t col = shape->n_partition; col < shape->n_keys; col++)
        if (!is_same_key(shape->layout, col, a, b))
            return false;
    return true;
}

int64_t fl_window_find_peers(const window_chunk *c, int64_t start, int64_t end, bool is_first, int64_t *ret)
{
    int64_t n = 0;
    for (int64_t row = start; row < end; row++) {
        if (row + PREFETCHED_ROWS < c->n) /* rows that were sorted lie anywhere */
            prefetch(c, row + PREFETCHED_ROWS);
        if ((row == start && is_first) || !are_peers(c->shape, c->rows[row - 1], c->rows[row]))
            ret[n++] = row;
    }
    return n;
}

static bool is_same_partition(const window_chunk *c, int64_t a, int64_t b)
{
    return fl_rows_are_same(c->shape->layout, c->shape->n_partition, c->rows[a], c->rows[b]);
}

/* Where the partition that begins at `start` ends: by leaps, so that few rows of a larger one are looked at. */
static int64_t end_of_partition(const window_chunk *c, int64_t start)
{
    int64_t low = start, step = 1; /* a row of it */
    while (low + step < c->n && is_same_partition(c, start, low + step)) {
        low += step;
        step *= 2;
    }
    int64_t high = low + step < c->n ? low + step : c->n; /* is not */
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (is_same_partition(c, start, middle))
            low = middle;
        else
            high = middle;
    }
    return high;
}

/* Notes where partitions begin. */
static fl_status find_partitions(window_chunk *c, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t n = 0;
    FL_TRY(fl_arena_get(&c->arena, (c->n + 1) * 8, (void **)&c->partitions, err));
    FL_TRY(fl_arena_get(&c->arena, (c->n + 1) * 8, (void **)&c->first_peers, err));
    for (int64_t row = 0; row < c->n; row = end_of_partition(c, row))
        c->partitions[n++] = row;
    c->partitions[n] = c->n;
    c->n_partitions = n;
cleanup:
    return st;
}

/* Notes where groups of peers begin. All rows of a partition are peers where there is no order, or no function asks. */
static fl_status find_peers(window_chunk *c, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t n = 0;
    if (!c->shape->needs_peers) {
        for (int64_t p = 0; p <= c->n_partitions; p++)
            c->first_peers[p] = p;
        c->peers = c->partitions;
        c->n_peers = c->n_partitions;
        return FL_OK;
    }
    FL_TRY(fl_arena_get(&c->arena, (c->n + 1) * 8, (void **)&c->peers, err));
    for (int64_t p = 0; p < c->n_partitions; p++) {
        c->first_peers[p] = n;
        n += fl_window_find_peers(c, c->partitions[p], c->partitions[p + 1], true, c->peers + n);
    }
    c->first_peers[c->n_partitions] = n;
    c->peers[n] = c->n;
    c->n_peers = n;
cleanup:
    return st;
}

/* ---- putting out ---------------------------------------------------------------------------------------------------- */

static fl_status emit(window_chunk *c, const window_batch *batch, fl_worker *worker, fl_stage *to, fl_err *err)
{
    fl_status st = FL_OK;
    const window_shape *shape = c->shape;
    const fl_node *node = shape->node;
    fl_vec *vecs = NULL;
    FL_TRY(FL_NEW_ARRAY(&worker->arena, node->n_cols + 1, &vecs, err));
    for (int32_t col = 0; col < node->n_cols; col++) {
        int32_t from = shape->from[col], part = -1 - from;
        if (from >= 0)
            FL_TRY(fl_rows_read(shape->layout, from, c->rows + batch->first, batch->rows, &worker->arena, &vecs[col],
                                err));
        else if (shape->parts[part].feed == WINDOW_NO_FEED)
            FL_TRY(fl_window_values(c, part, batch, &worker->arena, &vecs[col], err));
        else
            FL_TRY(fl_window_aggregate(c, part, batch, &worker->arena, &vecs[col], err));
    }
    fl_batch out = {.rows = batch->rows, .cols = node->n_cols, .vec = vecs, .kept = batch->rows};
    st = fl_push(node, to, worker, &out, err);
cleanup:
    return st;
}

fl_status fl_window_put_out(window_chunk *c, int64_t start, int64_t end, int64_t peer, fl_worker *worker, fl_stage *to,
                            fl_err *err)
{
    fl_status st = FL_OK;
    int64_t partition = 0;
    for (int32_t i = 0; i < c->shape->n_parts; i++)
        FL_TRY(fl_window_reach(c, i, start, end, err));
    for (int64_t first = start; first < end; first += c->block_rows) {
        window_batch batch = {first, end - first < c->block_rows ? (int32_t)(end - first) : c->block_rows};
        fl_window_place_rows(c, &batch, &partition, &peer);
        fl_arena_reset(&worker->arena);
        FL_TRY(emit(c, &batch, worker, to, err));
    }
cleanup:
    return st;
}

fl_status fl_window_run_chunk(window_chunk *c, uint8_t **rows, int64_t n, bool goes_on, fl_worker *worker, fl_stage *to,
                              fl_err *err)
{
    fl_status st = FL_OK;
    const window_shape *shape = c->shape;
    if (n == 0)
        return FL_OK;
    fl_arena_reset(&c->arena);
    c->rows = rows;
    c->n = c->stretch_rows = n;
    c->n_stretches = 1;
    c->prepared = c->own;
    c->large = 0;
    fl_window_restart(c, true);
    FL_TRY(find_partitions(c, err));
    FL_TRY(find_peers(c, err));
    for (int32_t i = 0; i < shape->n_parts; i++) {
        FL_TRY(fl_window_begin(c, i, err));
        FL_TRY(fl_window_feed(c, i, 0, err));
        FL_TRY(fl_window_join(c, i, err));
        FL_TRY(fl_window_spread(c, i, 0, err));
    }
    FL_TRY(fl_window_put_out(c, 0, n, 0, worker, to, err));
    int64_t last = c->n_partitions - 1;
    bool is_same = last == 0 && goes_on;
    c->rows_before = goes_on ? n - c->partitions[last] + (is_same ? c->rows_before : 0) : 0;
    c->peers_before = goes_on ? c->n_peers - c->first_peers[last] + (is_same ? c->peers_before : 0) : 0;
    if (n > window_chunk_rows(shape) * 16) /* of a large partition */
        fl_arena_drop(&c->arena);
cleanup:
    return st;
}
