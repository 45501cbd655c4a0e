/* The sink of sort and topk. */
#include "exec/collect.h"

#include "arrow/vec_check.h"
#include "exec/runtime_filter.h"
#include "exec/spill.h"
#include "exec/stretches.h"
#include "exec/task_graph.h"
#include "exec/threshold.h"

#define SORTED_ROW_BYTES 42 /* that sorting takes for each row: its pointer, and what the sorter needs */
#define CUT_ROWS \
    512 /* beside several times as many as are wanted: sorting more at once saves little, and the threshold comes later */
#define PIECE_ROWS_MIN 4096 /* are sorted without asking for memory: that there is none is why */

typedef struct collect_local {
    fl_eval *eval;
    fl_row_store store;
    fl_stretches stretches; /* without a limit: where the rows come from */
    uint8_t **rows;         /* with a limit: those kept so far */
    int64_t n_rows;
    int64_t capacity;
    bool has_threshold; /* rows[keep - 1] is the worst one kept at the last cut */
    uint8_t *threshold;
    uint16_t *list;
    uint8_t **fresh;
    fl_spill_holder holder;
    fl_sorted_runs runs;       /* that left memory, in the order in which their rows came */
    fl_row_store threshold_of; /* the threshold's keys, when its row left memory */
} collect_local;

static fl_status local_new(fl_stage *base, fl_worker *worker, void **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_sort_sink *sink = (fl_sort_sink *)base;
    fl_memory *memory = worker->exec->context.memory;
    int32_t rows_max = worker->exec->context.session->vector_rows;
    collect_local *local = NULL;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*local), (void **)&local, err));
    *ret = local;
    fl_row_store_init(&local->store, &sink->layout, memory);
    fl_row_store_init(&local->threshold_of, &sink->layout, memory);
    fl_sorted_runs_init(&local->runs, worker->exec, &sink->layout, sink->columns, sink->n_keys);
    fl_spill_register(worker->exec, &local->holder);
    if (sink->keys != NULL)
        FL_TRY(fl_eval_new(sink->keys, memory, rows_max, &local->eval, err));
    FL_TRY(fl_alloc(memory, rows_max * 2 + 64, (void **)&local->list, err));
    FL_TRY(fl_alloc(memory, rows_max * 8 + 64, (void **)&local->fresh, err));
cleanup:
    return st;
}

static void local_free(fl_stage *base, void *ptr)
{
    (void)base;
    collect_local *local = ptr;
    fl_eval_free(local->eval);
    fl_sorted_runs_drop(&local->runs);
    fl_row_store_drop(&local->store);
    fl_row_store_drop(&local->threshold_of);
    fl_stretches_drop(&local->stretches);
    fl_free(local->rows);
    fl_free(local->list);
    fl_free(local->fresh);
    fl_free(local);
}

/* Keeps the rows of the list that sort before the threshold: their keys are written to rows in the batch's arena. */
static fl_status drop_losers(fl_sort_sink *sink, collect_local *local, fl_worker *worker, const fl_vec *keys,
                             int32_t *count, fl_err *err)
{
    fl_status st = FL_OK;
    uint8_t *block = NULL, **rows = NULL;
    int32_t n = *count, kept = 0;
    FL_TRY(fl_arena_get_zero(&worker->arena, (int64_t)n * sink->layout.bytes, (void **)&block, err));
    FL_TRY(fl_arena_get(&worker->arena, (int64_t)n * 8, (void **)&rows, err));
    for (int32_t i = 0; i < n; i++)
        rows[i] = block + (int64_t)i * sink->layout.bytes;
    for (int32_t k = 0; k < sink->n_keys; k++)
        FL_TRY(fl_rows_write(&sink->layout, k, &keys[k], local->list, n, rows, &worker->arena, err));
    for (int32_t i = 0; i < n; i++) {
        local->list[kept] = local->list[i];
        kept += fl_sort_compare(&sink->layout, sink->columns, sink->n_keys, rows[i], local->threshold) < 0;
    }
    *count = kept;
cleanup:
    return st;
}

/* The first key of the worst row kept, to the scan: a row beyond it can be none of the best. */
static void tell_scan(const fl_sort_sink *sink, const collect_local *local)
{
    const uint8_t *at = local->threshold + sink->layout.offsets[0];
    if (sink->threshold == NULL || fl_row_is_null(&sink->layout, local->threshold, 0))
        return;
    int64_t value = fl_type_width(sink->layout.types[0]) == 4 ? *(const int32_t *)at : *(const int64_t *)at;
    fl_runtime_filter_sharpen(sink->threshold, value);
}

/* Moves the kept rows to a store of their own, when most of the old one is forgotten rows. */
static fl_status rebuild(fl_sort_sink *sink, collect_local *local, fl_err *err)
{
    fl_status st = FL_OK;
    fl_row_store fresh;
    fl_arena scratch;
    uint16_t *list = NULL;
    uint8_t **moved = NULL;
    fl_row_store_init(&fresh, &sink->layout, local->store.memory);
    fl_arena_init(&scratch, local->store.memory);
    int32_t step = 1024;
    FL_TRY(FL_NEW_ARRAY(&scratch, local->n_rows + 1, &moved, err));
    FL_TRY(FL_NEW_ARRAY(&scratch, step, &list, err));
    for (int32_t i = 0; i < step; i++)
        list[i] = (uint16_t)i;
    for (int64_t start = 0; start < local->n_rows; start += step) {
        int32_t n = local->n_rows - start < step ? (int32_t)(local->n_rows - start) : step;
        uint8_t **rows = moved + start;
        FL_TRY(fl_row_store_add(&fresh, n, rows, err));
        for (int32_t c = 0; c < sink->layout.n_cols; c++) {
            fl_vec vec;
            FL_TRY(fl_rows_read(&sink->layout, c, local->rows + start, n, &scratch, &vec, err));
            FL_TRY(fl_rows_write(&sink->layout, c, &vec, list, n, rows, &fresh.heap, err));
        }
    }
    memcpy(local->rows, moved, (size_t)local->n_rows * sizeof(*moved));
    fl_row_store_drop(&local->store);
    local->store = fresh;
    fl_row_store_init(&fresh, &sink->layout, local->store.memory);
cleanup:
    fl_row_store_drop(&fresh);
    fl_arena_drop(&scratch);
    return st;
}

/* ---- leaving memory ------------------------------------------------------------------------------------------------ */

static int64_t rows_of(const fl_sort_sink *sink, const collect_local *local)
{
    return sink->keep > 0 ? local->n_rows : local->store.rows;
}

/* With what sorting the rows will take. */
static int64_t bytes_of(const fl_sort_sink *sink, const collect_local *local)
{
    return fl_row_store_bytes(&local->store) + rows_of(sink, local) * SORTED_ROW_BYTES;
}

/* Writes to each row where it stands among equal ones. */
static void note_places(const fl_sort_sink *sink, collect_local *local)
{
    fl_row_cursor at = {.store = &local->store, .block = local->store.first};
    int64_t n = 0;
    for (int64_t s = 0; s < local->stretches.n; s++) {
        const fl_stretch *stretch = &local->stretches.items[s];
        n += stretch->n_rows;
        uint64_t place = fl_sorted_run_place(stretch->pipeline, stretch->morsel);
        for (int64_t i = 0; i < stretch->n_rows; i++)
            memcpy(fl_row_cursor_next(&at), &place, 8);
    }
    FL_ASSERT(n == local->store.rows);
}

/* The threshold outlives the row that it is. */
static fl_status keep_threshold(const fl_sort_sink *sink, collect_local *local, fl_err *err)
{
    fl_status st = FL_OK;
    fl_row_store kept;
    fl_arena scratch;
    uint16_t first = 0;
    uint8_t *row = NULL;
    fl_row_store_init(&kept, &sink->layout, local->store.memory);
    fl_arena_init(&scratch, local->store.memory);
    if (!local->has_threshold)
        return FL_OK;
    FL_TRY(fl_row_store_add(&kept, 1, &row, err));
    for (int32_t k = 0; k < sink->n_keys; k++) {
        fl_vec vec;
        FL_TRY(fl_rows_read(&sink->layout, k, &local->threshold, 1, &scratch, &vec, err));
        FL_TRY(fl_rows_write(&sink->layout, k, &vec, &first, 1, &row, &kept.heap, err));
    }
    fl_row_store_drop(&local->threshold_of);
    local->threshold_of = kept;
    local->threshold = row;
    fl_row_store_init(&kept, &sink->layout, local->store.memory);
cleanup:
    if (st == FL_ERR_MEMORY) { /* it does without */
        local->has_threshold = false;
        st = FL_OK;
    }
    fl_row_store_drop(&kept);
    fl_arena_drop(&scratch);
    return st;
}

/* The next n rows as a run: with a limit of local->rows from `start` on, otherwise what comes next in the store. */
static fl_status write_piece(const fl_sort_sink *sink, collect_local *local, fl_row_cursor *next, int64_t start,
                             int64_t n, fl_err *err)
{
    fl_status st = FL_OK;
    fl_memory *memory = n > PIECE_ROWS_MIN ? local->store.memory : NULL;
    fl_row_cursor at = *next;
    uint8_t **rows = sink->keep > 0 ? local->rows + start : NULL, **made = NULL;
    if (sink->keep == 0) {
        FL_TRY(fl_alloc(memory, n * (int64_t)sizeof(*made), (void **)&made, err));
        for (int64_t i = 0; i < n; i++)
            made[i] = fl_row_cursor_next(&at);
        rows = made;
    }
    FL_TRY(fl_sort_rows(NULL, &sink->layout, sink->columns, sink->n_keys, rows, n, memory, err));
    FL_TRY(fl_exec_check(sink->exec, err)); /* why it may have ended in any order */
    if (sink->keep > 0 && n >= sink->keep) {
        n = sink->keep;
        local->has_threshold = true;
        local->threshold = rows[n - 1];
        tell_scan(sink, local);
    }
    FL_TRY(fl_sorted_runs_add(&local->runs, rows, n, err));
    *next = at;
cleanup:
    fl_free(made);
    return st;
}

/* Sorts and writes all rows that the worker keeps: at once if memory allows, otherwise piece by piece. */
static fl_status spill(const fl_sort_sink *sink, collect_local *local, fl_worker *worker, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t n = rows_of(sink, local), piece = n, written = fl_sorted_runs_bytes(&local->runs);
    fl_row_cursor at = {.store = &local->store, .block = local->store.first};
    if (sink->keep == 0)
        note_places(sink, local);
    for (int64_t start = 0; start < n;) {
        int64_t count = n - start < piece ? n - start : piece;
        int64_t runs = local->runs.n;
        st = write_piece(sink, local, &at, start, count, err);
        bool is_short = st == FL_ERR_MEMORY && count > PIECE_ROWS_MIN && local->runs.n == runs;
        FL_TRY(is_short ? FL_OK : st);
        if (is_short)
            piece = count / 2 > PIECE_ROWS_MIN ? count / 2 : PIECE_ROWS_MIN;
        else
            start += count;
    }
    FL_TRY(keep_threshold(sink, local, err));
    fl_row_store_drop(&local->store);
    fl_stretches_drop(&local->stretches);
    fl_free(local->rows);
    local->rows = NULL;
    local->n_rows = local->capacity = 0;
    fl_memory_trim();
    fl_spill_gave_back(&local->holder);
    fl_spill_count(worker, sink->counted, fl_sorted_runs_bytes(&local->runs) - written, 0);
cleanup:
    return st;
}

/* ---- taking in ----------------------------------------------------------------------------------------------------- */

/* Keeps the best rows. FL_ERR_MEMORY leaves rows as they were, but for their order. */
static fl_status cut(fl_sort_sink *sink, collect_local *local, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(fl_sort_rows(NULL, &sink->layout, sink->columns, sink->n_keys, local->rows, local->n_rows,
                        local->store.memory, err));
    if (local->n_rows > sink->keep)
        local->n_rows = sink->keep;
    if (local->store.rows > 8 * sink->keep + 65536)
        FL_TRY(rebuild(sink, local, err));
    local->has_threshold = local->n_rows == sink->keep && sink->keep > 0;
    if (local->has_threshold) {
        local->threshold = local->rows[local->n_rows - 1];
        tell_scan(sink, local);
    }
cleanup:
    return st;
}

static fl_status find_keys(const fl_sort_sink *sink, collect_local *local, fl_arena *arena, const fl_batch *batch,
                           const fl_vec **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec *keys = NULL;
    *ret = batch->vec + sink->n_cols;
    if (sink->keys == NULL)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(arena, sink->n_values + 1, &keys, err));
    fl_eval_begin(local->eval, batch, arena);
    for (int32_t k = 0; k < sink->n_values; k++)
        FL_TRY(fl_eval_value(local->eval, k, batch->mask, &keys[k], err));
    *ret = keys;
cleanup:
    return st;
}

/* Takes a batch in, or nothing of it. */
static fl_status take(fl_sort_sink *sink, fl_worker *worker, collect_local *local, const fl_batch *batch, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_vec *keys = NULL;
    int32_t count = 0;
    fl_row_store *store = &local->store;
    fl_row_mark before = fl_row_store_mark(store);
    FL_TRY(find_keys(sink, local, &worker->arena, batch, &keys, err));
    if (batch->mask != NULL)
        count = fl_bitmap_to_list(batch->mask, batch->rows, local->list);
    else
        for (; count < batch->rows; count++)
            local->list[count] = (uint16_t)count;
    if (local->has_threshold)
        count = fl_threshold_filter(&sink->layout, &sink->columns[0], local->threshold, &keys[0], local->list, count);
    if (local->has_threshold && count > 0)
        FL_TRY(drop_losers(sink, local, worker, keys, &count, err));
    FL_ASSERT_NO_FAULT(fl_list_fault(local->list, count, batch->rows));
    if (count == 0)
        return FL_OK;
    FL_TRY(fl_row_store_add(store, count, local->fresh, err));
    for (int32_t k = 0; k < sink->n_values; k++)
        FL_TRY(fl_rows_write(&sink->layout, k, &keys[k], local->list, count, local->fresh, &store->heap, err));
    for (int32_t c = 0; c < sink->n_cols; c++)
        FL_TRY(fl_rows_write(&sink->layout, sink->n_values + c, &batch->vec[sink->from == NULL ? c : sink->from[c]],
                             local->list, count, local->fresh, &store->heap, err));
    if (sink->keep > 0) {
        FL_TRY(fl_grow(store->memory, (void **)&local->rows, &local->capacity, local->n_rows + count, 8, err));
        memcpy(local->rows + local->n_rows, local->fresh, (size_t)count * sizeof(*local->rows));
        local->n_rows += count;
    } else {
        st = fl_stretches_add(&local->stretches, worker, count, err);
    }
cleanup:
    if (st != FL_OK)
        fl_row_store_rewind(store, before); /* texts of the rows that go stay in its heap */
    return st;
}

static fl_status push(fl_stage *base, fl_worker *worker, void *ptr, fl_batch *batch, fl_err *err)
{
    fl_status st = FL_OK;
    fl_sort_sink *sink = (fl_sort_sink *)base;
    collect_local *local = ptr;
    if (fl_spill_is_due(sink->exec, &local->holder, bytes_of(sink, local)))
        FL_TRY(spill(sink, local, worker, err));
    st = take(sink, worker, local, batch, err);
    if (st == FL_ERR_MEMORY && local->store.rows > 0 && fl_spill_is_possible(sink->exec)) {
        FL_TRY(spill(sink, local, worker, err));
        st = take(sink, worker, local, batch, err);
    }
    if (st == FL_OK && sink->keep > 0 && local->n_rows > 4 * sink->keep + CUT_ROWS) {
        st = cut(sink, local, err);
        if (st == FL_ERR_MEMORY && fl_spill_is_possible(sink->exec))
            st = spill(sink, local, worker, err);
    }
cleanup:
    return st;
}

/* ---- the end ------------------------------------------------------------------------------------------------------- */

static fl_status finish(fl_stage *base, void *const *locals, int32_t n_locals, fl_err *err)
{
    fl_sort_sink *sink = (fl_sort_sink *)base;
    sink->locals = locals;
    sink->n_locals = n_locals;
    fl_status st = sink->finish(sink, err);
    if (st == FL_ERR_MEMORY)
        fl_exec_say_who(NULL, sink->counted, err);
    return st;
}

static void stage_free(fl_stage *base)
{
    fl_sorted_runs_drop(&((fl_sort_sink *)base)->runs);
}

static const fl_stage_ops sink_ops = {
    .local_new = local_new, .push = push, .finish = finish, .local_free = local_free, .free = stage_free};

/* Adds a sink of rows of columns behind values of the types. `stands_for`: whose time its own is. */
static fl_status sink_new(fl_exec *exec, const fl_node *node, const fl_node *stands_for, const fl_type *value_types,
                          int32_t n_values, const fl_col_id *cols, int32_t n_cols, int32_t n_keys,
                          fl_status (*on_finish)(fl_sort_sink *sink, fl_err *err), void *owner, fl_sort_sink **ret,
                          fl_err *err)
{
    fl_status st = FL_OK;
    fl_sort_sink *sink = NULL;
    fl_type *types = NULL;
    FL_TRY(fl_exec_add_stage(exec, &sink_ops, (int64_t)sizeof(*sink), stands_for, NULL, &sink, err));
    sink->exec = exec;
    sink->counted = node;
    sink->n_values = n_values;
    sink->n_keys = n_keys;
    sink->n_cols = n_cols;
    sink->finish = on_finish;
    sink->owner = owner;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n_values + n_cols + 1, &types, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n_keys + 1, &sink->columns, err));
    for (int32_t k = 0; k < n_values; k++)
        types[k] = value_types[k];
    for (int32_t k = 0; k < n_keys; k++)
        sink->columns[k].col = k;
    for (int32_t c = 0; c < n_cols; c++)
        types[n_values + c] = fl_plan_col(exec->plan, cols[c])->type;
    FL_TRY(fl_row_layout_init(&sink->layout, &exec->arena, types, n_values + n_cols, 0, err));
    fl_sorted_runs_init(&sink->runs, exec, &sink->layout, sink->columns, n_keys);
    *ret = sink;
cleanup:
    return st;
}

fl_status fl_sort_sink_new(fl_exec *exec, const fl_node *node, int32_t n_keys,
                           fl_status (*on_finish)(fl_sort_sink *sink, fl_err *err), void *owner, fl_sort_sink **ret,
                           fl_err *err)
{
    fl_status st = FL_OK;
    fl_type *types = NULL;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n_keys + 1, &types, err));
    for (int32_t k = 0; k < n_keys; k++)
        types[k] = FL_TYPE(FL_I64);
    st = sink_new(exec, node, NULL, types, n_keys, node->cols, node->n_cols, n_keys, on_finish, owner, ret, err);
cleanup:
    return st;
}

static fl_status build_sink(fl_exec *exec, const fl_node *node, const fl_sort_rows_of *of, const fl_sort_key *keys,
                            int32_t n_keys, int64_t keep, bool filters_scan,
                            fl_status (*on_finish)(fl_sort_sink *sink, fl_err *err), void *owner, fl_sort_sink **ret,
                            fl_err *err)
{
    fl_status st = FL_OK;
    fl_sort_sink *sink = NULL;
    fl_type *types = NULL;
    const fl_node *input = node->inputs[0];
    FL_TRY(FL_NEW_ARRAY(&exec->arena, of->n_values + 1, &types, err));
    for (int32_t v = 0; v < of->n_values; v++)
        types[v] = of->values[v]->type;
    FL_TRY(sink_new(exec, node, node, types, of->n_values, of->cols, of->n_cols, n_keys, on_finish, owner, &sink, err));
    sink->keep = keep;
    for (int32_t k = 0; k < n_keys; k++) {
        FL_ASSERT(keys[k].expr == of->values[k]);
        sink->columns[k].is_descending = keys[k].is_descending;
        sink->columns[k].nulls_first = keys[k].nulls_first;
    }
    FL_TRY(fl_program_new(&exec->arena, exec->plan, exec->context.session, of->values, of->n_values, input->cols,
                          input->n_cols, &sink->keys, err));
    FL_TRY(fl_exec_col_map(exec, of->cols, of->n_cols, input, &sink->from, err));
    if (filters_scan) {
        FL_ASSERT(keep > 0 && keys[0].expr->kind == FL_EXPR_COLUMN && fl_type_is_whole_word(keys[0].expr->type));
        FL_TRY(fl_runtime_filter_announce_threshold(exec, keys[0].expr->col, keys[0].is_descending, keys[0].nulls_first,
                                                    &sink->threshold, err));
    }
    fl_stage *first = &sink->base;
    if (of->put_before != NULL)
        FL_TRY(of->put_before(exec, node, &sink->base, &first, err));
    FL_TRY(fl_exec_build(exec, input, first, err));
    if (filters_scan)
        sink->threshold->is_closed = true;
    FL_TRY(fl_exec_add_finish(exec, &sink->base, err));
    *ret = sink;
cleanup:
    return st;
}

fl_status fl_sort_sink_build(fl_exec *exec, const fl_node *node, const fl_sort_key *keys, int32_t n_keys, int64_t keep,
                             bool filters_scan, fl_status (*on_finish)(fl_sort_sink *sink, fl_err *err), void *owner,
                             fl_sort_sink **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr **exprs = NULL;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n_keys + 1, &exprs, err));
    for (int32_t k = 0; k < n_keys; k++)
        exprs[k] = keys[k].expr;
    fl_sort_rows_of of = {exprs, n_keys, node->cols, node->n_cols, NULL};
    st = build_sink(exec, node, &of, keys, n_keys, keep, filters_scan, on_finish, owner, ret, err);
cleanup:
    return st;
}

fl_status fl_sort_sink_build_of(fl_exec *exec, const fl_node *node, const fl_sort_rows_of *of, const fl_sort_key *keys,
                                int32_t n_keys, fl_status (*on_finish)(fl_sort_sink *sink, fl_err *err), void *owner,
                                fl_sort_sink **ret, fl_err *err)
{
    FL_ASSERT(n_keys <= of->n_values);
    return build_sink(exec, node, of, keys, n_keys, 0, false, on_finish, owner, ret, err);
}

/* The rows of all workers: without a limit in the input's order. */
static fl_status gather(fl_sort_sink *sink, uint8_t **rows, fl_err *err)
{
    fl_status st = FL_OK;
    fl_stretched_rows *stores = NULL;
    int64_t n = 0;
    int32_t n_stores = 0;
    FL_TRY(FL_NEW_ARRAY(&sink->exec->arena, sink->n_locals + 1, &stores, err));
    for (int32_t w = 0; w < sink->n_locals; w++) {
        collect_local *local = sink->locals[w];
        if (local == NULL)
            continue;
        stores[n_stores++] = (fl_stretched_rows){&local->store, &local->stretches};
        if (sink->keep > 0 && local->n_rows > 0) {
            memcpy(rows + n, local->rows, (size_t)local->n_rows * sizeof(*rows));
            n += local->n_rows;
        }
    }
    if (sink->keep == 0)
        FL_TRY(fl_stretches_gather(sink->exec, stores, n_stores, rows, NULL, err));
cleanup:
    return st;
}

static fl_status sort_in_memory(fl_sort_sink *sink, int64_t total, uint8_t ***ret_rows, fl_err *err)
{
    fl_status st = FL_OK;
    uint8_t **rows = NULL;
    FL_TRY(fl_alloc(sink->exec->context.memory, total * 8 + 8, (void **)&rows, err));
    FL_TRY(gather(sink, rows, err));
    if (!sink->is_in_order)
        FL_TRY(fl_sort_rows(sink->exec, &sink->layout, sink->columns, sink->n_keys, rows, total,
                            sink->exec->context.memory, err));
    *ret_rows = rows;
    rows = NULL;
cleanup:
    fl_free(rows);
    return st;
}

/* For fl_exec_parallel: what a worker still has. */
static fl_status spill_rest(void *ctx, int32_t w, fl_err *err)
{
    fl_sort_sink *sink = ctx;
    collect_local *local = sink->locals[w];
    if (local == NULL || rows_of(sink, local) == 0)
        return FL_OK;
    return spill(sink, local, &sink->exec->workers[w], err);
}

static fl_status finish_runs(fl_sort_sink *sink, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(fl_exec_parallel(sink->exec, sink->n_locals, spill_rest, sink, err));
    for (int32_t w = 0; w < sink->n_locals; w++)
        if (sink->locals[w] != NULL)
            FL_TRY(fl_sorted_runs_take(&sink->runs, &((collect_local *)sink->locals[w])->runs, err));
    FL_TRY(fl_sorted_runs_finish(&sink->runs, sink->counted, err));
    sink->is_spilled = true;
cleanup:
    return st;
}

fl_status fl_sort_finish(fl_sort_sink *sink, uint8_t ***ret_rows, int64_t *ret_n, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t total = 0;
    bool is_spilled = false;
    *ret_rows = NULL;
    *ret_n = 0;
    FL_ASSERT(!sink->is_spilled && sink->runs.n == 0); /* once */
    for (int32_t w = 0; w < sink->n_locals; w++) {
        collect_local *local = sink->locals[w];
        if (local == NULL)
            continue;
        total += rows_of(sink, local);
        is_spilled |= local->runs.n > 0;
        fl_spill_ended(&local->holder);
    }
    is_spilled |=
        total > 0 && !fl_spill_has_room(sink->exec, total * SORTED_ROW_BYTES + sink->used_bytes, FL_SPILL_FREE_PART);
    if (!is_spilled) {
        st = sort_in_memory(sink, total, ret_rows, err);
        *ret_n = st == FL_OK ? total : 0;
        if (st != FL_ERR_MEMORY || total == 0 || !fl_spill_is_possible(sink->exec))
            return st;
    }
    return finish_runs(sink, err);
}

fl_status fl_sort_emit(fl_sort_sink *sink, const fl_node *node, fl_worker *worker, fl_stage *to, uint8_t **rows,
                       int32_t count, fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec *vecs = NULL;
    FL_ASSERT(count > 0 && count <= worker->exec->context.session->vector_rows);
    fl_arena_reset(&worker->arena);
    FL_TRY(FL_NEW_ARRAY(&worker->arena, sink->n_cols + 1, &vecs, err));
    for (int32_t c = 0; c < sink->n_cols; c++)
        FL_TRY(fl_rows_read(&sink->layout, sink->n_values + c, rows, count, &worker->arena, &vecs[c], err));
    fl_batch batch = {.rows = count, .cols = sink->n_cols, .vec = vecs, .kept = count};
    st = fl_push(node, to, worker, &batch, err);
cleanup:
    return st;
}

void fl_sort_forget(fl_sort_sink *sink, fl_worker *worker)
{
    fl_arena_reset(&worker->arena);
    for (int32_t w = 0; w < sink->n_locals; w++)
        if (sink->locals[w] != NULL)
            fl_row_store_drop(&((collect_local *)sink->locals[w])->store);
}
