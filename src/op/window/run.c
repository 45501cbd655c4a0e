/* window: rows are sorted by partition and order, or come so, and are worked on a chunk of whole partitions at a time.
 *
 * Where they are sorted here, workers take chunks side by side: rows lie in memory, and any place in them leads to where the next
 * partition begins. Rows that come sorted, from below or from the disk, are collected by one worker until a partition ends behind enough
 * of them. A partition is in memory as a whole. */
#include "op/window/cut.h"
#include "op/window/large.h"

#include "exec/sort_source.h"
#include "exec/spill.h"
#include "exec/task_graph.h"

#include <math.h>

#define CHUNK_ROWS_MIN 512 /* where memory is short */

static bool is_new_partition(const window_shape *shape, const uint8_t *a, const uint8_t *b)
{
    return !fl_rows_are_same(shape->layout, shape->n_partition, a, b);
}

/* ---- rows that come in order ---------------------------------------------------------------------------------------- */

/* What one worker at a time collects. */
typedef struct window_collector {
    window_chunk chunk;
    fl_row_store store;
    uint8_t **rows;
    int64_t n_rows, capacity;
    bool is_done; /* no more are wanted */
} window_collector;

static fl_status collector_init(window_collector *k, const window_shape *shape, fl_err *err)
{
    fl_row_store_init(&k->store, shape->layout, shape->exec->context.memory);
    return fl_window_chunk_init(&k->chunk, shape, err);
}

static void collector_drop(window_collector *k)
{
    if (k->chunk.shape == NULL)
        return;
    fl_window_chunk_drop(&k->chunk);
    fl_row_store_drop(&k->store);
    fl_free(k->rows);
}

/* Copies rows of the layout behind the others. */
static fl_status collect_rows(window_collector *k, uint8_t *const *rows, int32_t n, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_row_layout *layout = k->chunk.shape->layout;
    FL_TRY(fl_grow(k->store.memory, (void **)&k->rows, &k->capacity, k->n_rows + n, 8, err));
    FL_TRY(fl_row_store_add(&k->store, n, k->rows + k->n_rows, err));
    fl_arena_reset(&k->chunk.scratch);
    for (int32_t i = 0; i < n; i++)
        k->chunk.list[i] = (uint16_t)i;
    for (int32_t col = 0; col < layout->n_cols; col++) {
        fl_vec vec;
        FL_TRY(fl_rows_read(layout, col, rows, n, &k->chunk.scratch, &vec, err));
        FL_TRY(fl_rows_write(layout, col, &vec, k->chunk.list, n, k->rows + k->n_rows, &k->store.heap, err));
    }
    k->n_rows += n;
cleanup:
    return st;
}

static fl_status put_out(window_collector *k, int64_t n, bool goes_on, fl_worker *worker, fl_stage *to, fl_err *err)
{
    fl_status st = k->is_done ? FL_DONE : fl_window_run_chunk(&k->chunk, k->rows, n, goes_on, worker, to, err);
    k->is_done |= st == FL_DONE;
    return st;
}

/* Puts out the partitions that have ended, where there are rows enough; what is left begins anew. */
static fl_status put_out_whole(window_collector *k, fl_worker *worker, fl_stage *to, fl_err *err)
{
    fl_status st = FL_OK;
    const window_shape *shape = k->chunk.shape;
    fl_row_store old;
    uint8_t **left = NULL;
    int64_t end = k->n_rows - 1;
    fl_row_store_init(&old, shape->layout, k->store.memory);
    if (k->n_rows < window_chunk_rows(shape) &&
        (k->n_rows < 2 || fl_spill_has_room(shape->exec, fl_row_store_bytes(&k->store), 4)))
        return FL_OK; /* where memory is short, as soon as it can be */
    int32_t n_cut =
        shape->is_streamed ? shape->n_keys : shape->n_partition;          /* keys by which they are put out together */
    if (fl_rows_are_same(shape->layout, n_cut, k->rows[0], k->rows[end])) /* one alone so far */
        return FL_OK;
    while (fl_rows_are_same(shape->layout, n_cut, k->rows[end - 1], k->rows[end]))
        end--;
    bool goes_on = shape->is_streamed && !is_new_partition(shape, k->rows[end - 1], k->rows[end]);
    FL_TRY(put_out(k, end, goes_on, worker, to, err));
    int64_t n = k->n_rows - end;
    old = k->store;
    fl_row_store_init(&k->store, shape->layout, old.memory);
    FL_TRY(fl_alloc(old.memory, n * 8, (void **)&left, err));
    memcpy(left, k->rows + end, (size_t)n * 8);
    k->n_rows = 0;
    for (int64_t at = 0; at < n; at += k->chunk.block_rows)
        FL_TRY(collect_rows(k, left + at, n - at < k->chunk.block_rows ? (int32_t)(n - at) : k->chunk.block_rows, err));
cleanup:
    fl_free(left);
    fl_row_store_drop(&old);
    return st;
}

static fl_status put_out_rest(window_collector *k, fl_worker *worker, fl_stage *to, fl_err *err)
{
    fl_status st = put_out(k, k->n_rows, false, worker, to, err);
    k->n_rows = 0;
    fl_row_store_drop(&k->store);
    return st;
}

typedef struct window_stage {
    fl_stage base;
    window_shape shape;
    fl_row_layout layout;
    fl_program *program;
    int32_t n_values;
    int32_t *cols; /* places of those that the layout has behind them */
    int32_t n_cols;
    window_collector collector;
    uint16_t *list;
} window_stage;

static fl_status stage_local_new(fl_stage *base, fl_worker *worker, void **ret, fl_err *err)
{
    const window_stage *stage = (const window_stage *)base;
    return fl_eval_new(stage->program, worker->exec->context.memory, worker->exec->context.session->vector_rows,
                       (fl_eval **)ret, err);
}

static void stage_local_free(fl_stage *base, void *local)
{
    (void)base;
    fl_eval_free(local);
}

static fl_status take(window_stage *stage, fl_eval *eval, const fl_batch *batch, fl_worker *worker, fl_err *err)
{
    fl_status st = FL_OK;
    window_collector *k = &stage->collector;
    int32_t n = 0;
    fl_eval_begin(eval, batch, &worker->arena);
    if (batch->mask != NULL)
        n = fl_bitmap_to_list(batch->mask, batch->rows, stage->list);
    else
        for (; n < batch->rows; n++)
            stage->list[n] = (uint16_t)n;
    FL_TRY(fl_grow(k->store.memory, (void **)&k->rows, &k->capacity, k->n_rows + n, 8, err));
    FL_TRY(fl_row_store_add(&k->store, n, k->rows + k->n_rows, err));
    for (int32_t v = 0; v < stage->n_values; v++) {
        fl_vec vec;
        FL_TRY(fl_eval_value(eval, v, batch->mask, &vec, err));
        FL_TRY(fl_rows_write(&stage->layout, v, &vec, stage->list, n, k->rows + k->n_rows, &k->store.heap, err));
    }
    for (int32_t c = 0; c < stage->n_cols; c++)
        FL_TRY(fl_rows_write(&stage->layout, stage->n_values + c, &batch->vec[stage->cols[c]], stage->list, n,
                             k->rows + k->n_rows, &k->store.heap, err));
    k->n_rows += n;
cleanup:
    return st;
}

static fl_status push(fl_stage *base, fl_worker *worker, void *local, fl_batch *batch, fl_err *err)
{
    window_stage *stage = (window_stage *)base;
    if (stage->collector.is_done)
        return FL_DONE;
    fl_status st = batch->kept == 0 ? FL_OK : take(stage, local, batch, worker, err);
    if (st == FL_OK)
        st = put_out_whole(&stage->collector, worker, base->next, err);
    if (st == FL_ERR_MEMORY)
        fl_exec_say_who(NULL, base->node, err);
    return st;
}

static void stage_free(fl_stage *base)
{
    collector_drop(&((window_stage *)base)->collector);
}

static const fl_stage_ops stage_ops = {
    .local_new = stage_local_new, .push = push, .local_free = stage_local_free, .free = stage_free};

/* Puts out the rows that are left behind all pipelines that feed the stage. */
typedef struct rest_source {
    fl_source base;
    window_stage *stage;
} rest_source;

static fl_status rest_run(fl_source *base, fl_worker *worker, void *local, fl_stage *to, bool *ret_any, fl_err *err)
{
    (void)local;
    window_collector *k = &((rest_source *)base)->stage->collector;
    *ret_any = !k->is_done && k->n_rows > 0;
    worker->morsel = 0;
    return *ret_any ? put_out_rest(k, worker, to, err) : FL_OK;
}

static bool rest_has_large_morsels(const fl_source *base)
{
    (void)base;
    return true; /* a partition */
}

static const fl_source_ops rest_ops = {.run = rest_run, .has_large_morsels = rest_has_large_morsels};

/* ---- rows that are sorted here -------------------------------------------------------------------------------------- */

typedef struct window_source {
    fl_source base;
    window_shape shape;
    fl_sort_sink *sink;
    uint8_t **rows;
    int64_t n_rows;
    int64_t chunk_rows;
    bool is_serial;       /* the only partition goes by in chunks one after the other */
    pthread_mutex_t lock; /* guards what follows */
    int64_t next_row;     /* that nobody works on */
    int64_t n_claims;
    int64_t n_done; /* rows: behind the last one the sink keeps none, of which others look for their partitions' ends */
    window_large *large;  /* that is worked on now; NULL: chunks are */
    window_large *larges; /* of which stretches are in work */
    uint64_t n_larges;    /* ever */
    bool is_missed;       /* a worker would have taken a step, if there had been one */
    _Atomic int64_t next_range;
    window_collector collector; /* of rows that come back from the disk */
} window_source;

typedef struct source_local {
    window_chunk chunk;
    fl_run_reader reader;
} source_local;

static fl_status source_local_new(fl_source *base, fl_worker *worker, void **ret, fl_err *err)
{
    fl_status st = FL_OK;
    source_local *local = NULL;
    FL_TRY(fl_alloc_zero(worker->exec->context.memory, (int64_t)sizeof(*local), (void **)&local, err));
    *ret = local;
    st = fl_window_chunk_init(&local->chunk, &((window_source *)base)->shape, err);
cleanup:
    return st;
}

static void source_local_free(fl_source *base, void *ptr)
{
    (void)base;
    source_local *local = ptr;
    fl_window_chunk_drop(&local->chunk);
    fl_run_reader_drop(&local->reader);
    fl_free(local);
}

static fl_status collect_merged(void *ctx, fl_worker *worker, uint8_t **rows, int32_t n, fl_err *err)
{
    void *const *pair = ctx;
    window_source *source = pair[0];
    fl_status st = collect_rows(&source->collector, rows, n, err);
    return st == FL_OK ? put_out_whole(&source->collector, worker, pair[1], err) : st;
}

static fl_status run_merged(window_source *source, source_local *local, fl_worker *worker, fl_stage *to, bool *ret_any,
                            fl_err *err)
{
    fl_status st = FL_OK;
    void *pair[] = {source, to};
    FL_TRY(fl_run_reader_next(&local->reader, &source->sink->runs, &source->next_range, worker, collect_merged, pair,
                              ret_any, err));
    if (*ret_any || source->collector.n_rows == 0)
        return FL_OK;
    *ret_any = true;
    st = put_out_rest(&source->collector, worker, to, err);
cleanup:
    return st;
}

/* Where rows of others in the first n_cut keys begin at or behind a place. */
static int64_t next_cut(const window_source *source, int32_t n_cut, int64_t at)
{
    const fl_row_layout *layout = source->shape.layout;
    if (at <= 0 || at >= source->n_rows)
        return at <= 0 ? 0 : source->n_rows;
    if (n_cut == 0)
        return source->n_rows;
    const uint8_t *before = source->rows[at - 1];
    int64_t low = at - 1, step = 1; /* still of the same */
    while (low + step < source->n_rows && fl_rows_are_same(layout, n_cut, before, source->rows[low + step])) {
        low += step;
        step *= 2;
    }
    int64_t high = low + step < source->n_rows ? low + step : source->n_rows; /* is not */
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (fl_rows_are_same(layout, n_cut, before, source->rows[middle]))
            low = middle;
        else
            high = middle;
    }
    return high;
}

/* Where the rows begin that are of the same partition as the one before `end`, from `start` on. */
static int64_t start_of_last(const window_source *source, int64_t start, int64_t end)
{
    int64_t low = start, high = end - 1; /* may be of another one; is of it */
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (is_new_partition(&source->shape, source->rows[middle], source->rows[end - 1]))
            low = middle + 1;
        else
            high = middle;
    }
    return high;
}

/* What a worker works on. */
typedef struct window_claim {
    enum { CLAIM_NONE, CLAIM_LATER, CLAIM_CHUNK, CLAIM_STEP } kind;
    int64_t first, end; /* of a chunk */
    window_step step;
} window_claim;

/* The next chunk; or a large partition, which a chunk is cut short before. The lock is held. */
static fl_status claim_rows(window_source *source, window_claim *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const window_shape *shape = &source->shape;
    int64_t first = source->next_row, behind = first + source->chunk_rows;
    behind = behind < source->n_rows ? behind : source->n_rows;
    int64_t end = next_cut(source, source->is_serial ? shape->n_keys : shape->n_partition, behind);
    if (!source->is_serial && shape->is_divisible && end - first >= window_large_rows(shape)) {
        int64_t start = start_of_last(source, first, behind);
        if (start == first) {
            window_large *large = NULL;
            FL_TRY(fl_window_large_new(shape, source->rows + first, end - first, ++source->n_larges, &large, err));
            large->next = source->larges;
            source->larges = source->large = large;
            ret->kind = fl_window_large_claim(large, &ret->step) ? CLAIM_STEP : CLAIM_LATER;
            source->next_row = end;
            return FL_OK;
        }
        if (end - start >= window_large_rows(shape))
            end = start;
    }
    *ret = (window_claim){.kind = CLAIM_CHUNK, .first = first, .end = end};
    source->next_row = end;
cleanup:
    return st;
}

/* Takes what comes next: rows are claimed in their order, so that they can be put out in it. */
static fl_status claim(window_source *source, fl_worker *worker, window_claim *ret, fl_err *err)
{
    fl_status st = FL_OK;
    pthread_mutex_lock(&source->lock);
    worker->morsel = source->n_claims++;
    ret->kind = CLAIM_NONE;
    if (source->large != NULL && fl_window_large_claim(source->large, &ret->step)) {
        ret->kind = CLAIM_STEP;
    } else if (source->large != NULL && source->large->phase != WINDOW_PUT_OUT) {
        source->is_missed = true;
        ret->kind = CLAIM_LATER;
    } else if (source->next_row < source->n_rows) {
        source->large = NULL;
        st = claim_rows(source, ret, err);
    }
    pthread_mutex_unlock(&source->lock);
    return st;
}

/* The lock is held. */
static void unlink_large(window_source *source, const window_large *large)
{
    window_large **at = &source->larges;
    while (*at != large)
        at = &(*at)->next;
    *at = large->next;
    if (source->large == large)
        source->large = NULL;
}

/* What was claimed is done. */
static void did(window_source *source, const window_claim *claim, fl_worker *worker)
{
    window_large *large = claim->kind == CLAIM_STEP ? claim->step.large : NULL;
    bool is_last = false, wakes = false;
    pthread_mutex_lock(&source->lock);
    if (large != NULL && fl_window_large_did(&claim->step)) {
        wakes = source->is_missed;
        source->is_missed = false;
    }
    if (large != NULL && large->phase != WINDOW_ALL_OUT)
        large = NULL;
    if (large != NULL)
        unlink_large(source, large);
    source->n_done += claim->kind == CLAIM_CHUNK ? claim->end - claim->first : large != NULL ? large->shared.n : 0;
    is_last = source->n_done == source->n_rows;
    pthread_mutex_unlock(&source->lock);
    fl_window_large_free(large);
    if (is_last) {
        fl_sort_forget(source->sink, worker);
        fl_free(source->rows);
        source->rows = NULL;
    }
    if (wakes)
        fl_exec_wake(worker->exec);
}

static fl_status source_run(fl_source *base, fl_worker *worker, void *ptr, fl_stage *to, bool *ret_any, fl_err *err)
{
    fl_status st = FL_OK;
    window_source *source = (window_source *)base;
    source_local *local = ptr;
    window_claim claimed = {0};
    if (source->sink->is_spilled)
        return run_merged(source, local, worker, to, ret_any, err);
    FL_TRY(claim(source, worker, &claimed, err));
    *ret_any = claimed.kind != CLAIM_NONE;
    if (claimed.kind == CLAIM_NONE || claimed.kind == CLAIM_LATER)
        return FL_OK;
    if (claimed.kind == CLAIM_STEP)
        FL_TRY(fl_window_large_step(&claimed.step, &local->chunk, worker, to, err));
    else
        FL_TRY(fl_window_run_chunk(source->is_serial ? &source->collector.chunk : &local->chunk,
                                   source->rows + claimed.first, claimed.end - claimed.first,
                                   source->is_serial && claimed.end < source->n_rows, worker, to, err));
    did(source, &claimed, worker);
cleanup:
    return st;
}

static bool has_morsel(fl_source *base)
{
    window_source *source = (window_source *)base;
    pthread_mutex_lock(&source->lock);
    bool has =
        source->large == NULL || source->large->phase == WINDOW_PUT_OUT || fl_window_large_has_step(source->large);
    source->is_missed |= !has;
    pthread_mutex_unlock(&source->lock);
    return has;
}

static bool has_large_morsels(const fl_source *base)
{
    (void)base;
    return true; /* a partition */
}

static void source_free(fl_source *base)
{
    window_source *source = (window_source *)base;
    while (source->larges != NULL) {
        window_large *next = source->larges->next;
        fl_window_large_free(source->larges);
        source->larges = next;
    }
    collector_drop(&source->collector);
    fl_free(source->rows);
    pthread_mutex_destroy(&source->lock);
}

static const fl_source_ops source_ops = {.local_new = source_local_new,
                                         .run = source_run,
                                         .has_morsel = has_morsel,
                                         .has_large_morsels = has_large_morsels,
                                         .local_free = source_local_free,
                                         .free = source_free};

/* What a chunk takes for each of its rows, about, and as much for the batch that is made of it. */
static int64_t bytes_of_row(const window_shape *shape)
{
    int64_t bytes = 3 * 8 + shape->layout->bytes;
    for (int32_t i = 0; i < shape->n_parts; i++) {
        const window_part *part = &shape->parts[i];
        bytes += 2 * part->result.bytes + (part->feed == WINDOW_NO_FEED ? 16 : part->agg->kernel->state_bytes + 16);
        bytes += part->feed == WINDOW_MOVING ? part->agg->kernel->state_bytes : 0; /* both ways */
    }
    return bytes;
}

static fl_status finish_sort(fl_sort_sink *sink, fl_err *err)
{
    fl_status st = FL_OK;
    window_source *source = sink->owner;
    const window_shape *shape = &source->shape;
    FL_TRY(fl_sort_finish(sink, &source->rows, &source->n_rows, err));
    bool has_room =
        fl_spill_has_room(shape->exec, window_chunk_rows(shape) * bytes_of_row(shape) * shape->exec->n_workers, 4);
    int64_t chunk_rows = window_chunk_rows(shape);
    source->chunk_rows = has_room || chunk_rows < CHUNK_ROWS_MIN ? chunk_rows : CHUNK_ROWS_MIN;
    bool is_one = shape->n_partition == 0, is_large = source->n_rows >= window_large_rows(shape);
    source->is_serial = is_one && shape->is_streamed &&
                        !(is_large && fl_spill_has_room(shape->exec, source->n_rows * bytes_of_row(shape), 4));
    if (sink->is_spilled || source->is_serial || (is_one && !(is_large && shape->is_divisible)))
        source->base.workers_max = 1;
    if (sink->is_spilled || source->is_serial) /* chunks one after the other */
        st = collector_init(&source->collector, &source->shape, err);
cleanup:
    return st;
}

/* ---- building ------------------------------------------------------------------------------------------------------- */

/* What rows of the layout hold: values, then columns that nobody computes with. */
typedef struct value_list {
    const fl_expr **exprs;
    int32_t n;
    fl_index_map places;
    fl_col_id *cols;
    int32_t n_cols;
} value_list;

static fl_status add_value(value_list *list, const fl_expr *expr, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    *ret = -1;
    if (expr == NULL)
        return FL_OK;
    bool is_volatile = (expr->flags & FL_EXPR_VOLATILE) != 0;
    *ret = is_volatile ? -1 : fl_index_map_find(&list->places, fl_index_map_key(expr));
    if (*ret >= 0)
        return FL_OK;
    *ret = list->n;
    list->exprs[list->n++] = expr;
    if (!is_volatile)
        st = fl_index_map_add(&list->places, fl_index_map_key(expr), *ret, err);
    return st;
}

/* Whether it is below zero. */
static bool is_negative(const fl_value *value)
{
    double number;
    if (value->type.id == FL_INTERVAL) {
        const fl_interval *v = &value->interval;
        return (double)v->months * 30 * 86400e9 + (double)v->days * 86400e9 + (double)v->nanos < 0;
    }
    return fl_value_to_double(value, &number) && (number < 0 || isnan(number));
}

/* An offset of a frame. It is the same for all rows. */
static fl_status find_offset(fl_exec *exec, const fl_frame *frame, bool is_start, int64_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr *expr = frame->exprs[is_start ? FL_FRAME_START_OFFSET : FL_FRAME_END_OFFSET];
    fl_value value;
    *ret = 0;
    if (expr == NULL)
        return FL_OK;
    FL_TRY(fl_eval_once(&exec->arena, exec->plan, exec->context.session, expr, &value, err));
    if (value.is_null)
        st = fl_err_state(
            err, "22004",
            FL_FAIL(err, FL_ERR_RANGE, "the frame's %s offset must not be null", is_start ? "starting" : "ending"));
    else if (is_negative(&value))
        st = fl_err_state(
            err, "22013",
            FL_FAIL(err, FL_ERR_RANGE, "the frame's %s offset must not be negative", is_start ? "starting" : "ending"));
    else if (frame->unit != FL_FRAME_RANGE)
        *ret = value.i;
    if (st != FL_OK)
        fl_err_at(err, expr->pos);
cleanup:
    return st;
}

static fl_status plan_part(fl_exec *exec, const fl_agg *agg, int32_t n_order_keys, value_list *list, window_part *part,
                           fl_err *err)
{
    fl_status st = FL_OK;
    *part = (window_part){.agg = agg,
                          .run = exec->number,
                          .feed = fl_window_feed_of(agg, n_order_keys),
                          .is_whole = fl_window_is_whole(agg->frame, n_order_keys)};
    for (int32_t a = 0; a < agg->n_args; a++) {
        part->arg_types[a] = agg->args[a]->type;
        FL_TRY(add_value(list, agg->args[a], &part->args[a], err));
    }
    FL_TRY(add_value(list, agg->filter, &part->filter, err));
    for (int32_t k = 0; k < agg->n_order; k++)
        FL_TRY(add_value(list, agg->order[k].expr, &part->order[k], err));
    for (int32_t e = FL_FRAME_KEY; e < FL_FRAME_EXPRS; e++)
        FL_TRY(add_value(list, agg->frame->exprs[e], &part->exprs[e], err));
    FL_TRY(find_offset(exec, agg->frame, true, &part->start_offset, err));
    FL_TRY(find_offset(exec, agg->frame, false, &part->end_offset, err));
    st = fl_row_layout_init(&part->result, &exec->arena, &agg->type, 1, 0, err);
cleanup:
    return st;
}

/* Where the layout has a column of the input's, all values being there. */
static int32_t find_col(value_list *list, fl_col_id col)
{
    for (int32_t v = 0; v < list->n; v++)
        if (list->exprs[v]->kind == FL_EXPR_COLUMN && fl_col_is_equal(list->exprs[v]->col, col))
            return v;
    list->cols[list->n_cols] = col;
    return list->n + list->n_cols++;
}

/* What rows hold, and where all that is read of them lies. */
static fl_status plan_shape(fl_exec *exec, const fl_node *node, const fl_sort_key *keys, int32_t n_keys,
                            window_shape *shape, value_list *list, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_window_attrs *window = fl_window_of(node);
    int32_t place = 0, room = n_keys + 1;
    for (int32_t i = 0; i < window->n_functions; i++)
        room += window->functions[i].n_args + window->functions[i].n_order + 1 + FL_FRAME_EXPRS;
    *shape =
        (window_shape){.exec = exec, .node = node, .n_keys = n_keys, .n_parts = window->n_functions, .order_key = -1};
    fl_index_map_init(&list->places, &exec->arena);
    FL_TRY(FL_NEW_ARRAY(&exec->arena, room + 1, &list->exprs, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, shape->n_parts + 1, &shape->parts, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, node->n_cols + 1, &shape->from, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, node->n_cols + 1, &list->cols, err));
    for (int32_t k = 0; k < n_keys; k++) {
        bool is_partition = false;
        for (int32_t i = 0; i < window->n_partition; i++)
            is_partition |= window->partition[i] == keys[k].expr;
        shape->n_partition += is_partition;
        FL_TRY(add_value(list, keys[k].expr, &place, err));
        FL_ASSERT(place == k);
    }
    if (window->n_order > 0) {
        shape->is_descending = window->order[0].is_descending;
        FL_TRY(add_value(list, window->order[0].expr, &shape->order_key, err));
    }
    for (int32_t i = 0; i < shape->n_parts; i++)
        FL_TRY(plan_part(exec, &window->functions[i], n_keys - shape->n_partition, list, &shape->parts[i], err));
    shape->is_streamed = true;
    shape->is_divisible = true;
    for (int32_t i = 0; i < shape->n_parts; i++) {
        shape->is_streamed &= fl_window_is_streamed(&shape->parts[i]);
        shape->is_divisible &= fl_window_is_divisible(&shape->parts[i]);
        shape->parts[i].is_narrow = fl_window_is_narrow(&shape->parts[i], fl_window_stretch_rows(shape) / 4);
        shape->needs_peers |= n_keys > shape->n_partition && fl_window_needs_peers(&shape->parts[i]);
    }
    for (int32_t c = 0; c < node->n_cols; c++) {
        int32_t part = 0;
        while (part < shape->n_parts && !fl_col_is_equal(window->functions[part].out, node->cols[c]))
            part++;
        shape->from[c] = part < shape->n_parts ? -1 - part : find_col(list, node->cols[c]);
    }
cleanup:
    return st;
}

/* Rows are gathered by all workers, and sorted unless they come in order. */
static fl_status build_gathered(fl_exec *exec, const fl_node *node, const fl_sort_key *keys, int32_t n_keys,
                                bool is_in_order, fl_stage *next, fl_err *err)
{
    fl_status st = FL_OK;
    window_source *source = NULL;
    value_list list = {0};
    FL_TRY(fl_exec_add_source(exec, &source_ops, (int64_t)sizeof(*source), node, &source, err));
    pthread_mutex_init(&source->lock, NULL);
    FL_TRY(plan_shape(exec, node, keys, n_keys, &source->shape, &list, err));
    fl_sort_rows_of of = {list.exprs, list.n, list.cols, list.n_cols,
                          fl_window_can_cut(node) ? fl_window_build_cut : NULL};
    FL_TRY(fl_sort_sink_build_of(exec, node, &of, keys, n_keys, finish_sort, source, &source->sink, err));
    source->shape.layout = &source->sink->layout;
    source->sink->is_in_order = is_in_order;
    source->sink->used_bytes = CHUNK_ROWS_MIN * bytes_of_row(&source->shape);
    FL_TRY(fl_exec_wait_for(exec, &source->base.waits, &source->sink->base, err));
    st = fl_exec_add_pipeline(exec, &source->base, next, err);
cleanup:
    return st;
}

static fl_status build_in_order(fl_exec *exec, const fl_node *node, const fl_sort_key *keys, int32_t n_keys,
                                fl_stage *next, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *input = node->inputs[0];
    window_stage *stage = NULL;
    rest_source *rest = NULL;
    value_list list = {0};
    fl_type *types = NULL;
    FL_TRY(fl_exec_add_stage(exec, &stage_ops, (int64_t)sizeof(*stage), node, next, &stage, err));
    stage->base.is_ordered = true;
    stage->base.multiplies = true; /* a batch may end a large partition */
    FL_TRY(plan_shape(exec, node, keys, n_keys, &stage->shape, &list, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, list.n + list.n_cols + 1, &types, err));
    for (int32_t v = 0; v < list.n; v++)
        types[v] = list.exprs[v]->type;
    for (int32_t c = 0; c < list.n_cols; c++)
        types[list.n + c] = fl_plan_col(exec->plan, list.cols[c])->type;
    FL_TRY(fl_row_layout_init(&stage->layout, &exec->arena, types, list.n + list.n_cols, 0, err));
    stage->shape.layout = &stage->layout;
    stage->n_values = list.n;
    stage->n_cols = list.n_cols;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, exec->context.session->vector_rows + 1, &stage->list, err));
    FL_TRY(fl_program_new(&exec->arena, exec->plan, exec->context.session, list.exprs, list.n, input->cols,
                          input->n_cols, &stage->program, err));
    FL_TRY(fl_exec_col_map(exec, list.cols, list.n_cols, input, &stage->cols, err));
    FL_TRY(collector_init(&stage->collector, &stage->shape, err));
    FL_TRY(fl_exec_build(exec, input, &stage->base, err));
    FL_TRY(fl_exec_add_source(exec, &rest_ops, (int64_t)sizeof(*rest), node, &rest, err));
    rest->stage = stage;
    rest->base.workers_max = 1;
    FL_TRY(fl_exec_wait_for_feeders(exec, &rest->base.waits, &stage->base, err));
    st = fl_exec_add_pipeline(exec, &rest->base, next, err);
cleanup:
    return st;
}

/* Whether rows that come in order are put out as they come: in chunks of whole partitions, or where no function looks behind a row's peers.
 * A single partition is gathered in memory in any case, which all workers can do. */
static bool puts_out_early(const fl_window_attrs *window, int32_t n_keys)
{
    bool is_streamed = true;
    for (int32_t i = 0; i < window->n_functions; i++) {
        const fl_agg *agg = &window->functions[i];
        is_streamed &= fl_window_is_streamed(&(window_part){.agg = agg, .feed = fl_window_feed_of(agg, n_keys)});
    }
    return window->n_partition > 0 || is_streamed;
}

static fl_status build(fl_exec *exec, const fl_node *node, fl_stage *next, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_window_attrs *window = fl_window_of(node);
    fl_sort_key *keys = NULL;
    int32_t n_keys = 0;
    FL_TRY(fl_window_keys(&exec->arena, window, &keys, &n_keys, err));
    bool is_in_order = fl_trait_get(node->traits, &fl_trait_implementation) == FL_IMPL_SORTED;
    if (is_in_order && puts_out_early(window, n_keys))
        return build_in_order(exec, node, keys, n_keys, next, err);
    st = build_gathered(exec, node, keys, n_keys, is_in_order, next, err);
cleanup:
    return st;
}

const fl_op_exec fl_window_exec = {.build = build};
