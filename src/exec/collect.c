/* The sink of sort and topk. */
#include "exec/collect.h"

#include "exec/stretches.h"
#include "exec/threshold.h"

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
    fl_row_store_drop(&local->store);
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

/* Moves the kept rows to a store of their own, when most of the old one is forgotten rows. */
static fl_status rebuild(fl_sort_sink *sink, collect_local *local, fl_err *err)
{
    fl_status st = FL_OK;
    fl_row_store fresh;
    fl_arena scratch;
    uint16_t *list = NULL;
    fl_row_store_init(&fresh, &sink->layout, local->store.memory);
    fl_arena_init(&scratch, local->store.memory);
    int32_t step = 1024;
    FL_TRY(FL_NEW_ARRAY(&scratch, step, &list, err));
    for (int32_t i = 0; i < step; i++)
        list[i] = (uint16_t)i;
    for (int64_t start = 0; start < local->n_rows; start += step) {
        int32_t n = local->n_rows - start < step ? (int32_t)(local->n_rows - start) : step;
        uint8_t *rows[1024];
        FL_TRY(fl_row_store_add(&fresh, n, rows, err));
        for (int32_t c = 0; c < sink->layout.n_cols; c++) {
            fl_vec vec;
            FL_TRY(fl_rows_read(&sink->layout, c, local->rows + start, n, &scratch, &vec, err));
            FL_TRY(fl_rows_write(&sink->layout, c, &vec, list, n, rows, &fresh.heap, err));
        }
        memcpy(local->rows + start, rows, (size_t)n * sizeof(*rows));
    }
    fl_row_store_drop(&local->store);
    local->store = fresh;
    fl_row_store_init(&fresh, &sink->layout, local->store.memory);
cleanup:
    fl_row_store_drop(&fresh);
    fl_arena_drop(&scratch);
    return st;
}

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
    if (local->has_threshold)
        local->threshold = local->rows[local->n_rows - 1];
cleanup:
    return st;
}

static fl_status push(fl_stage *base, fl_worker *worker, void *ptr, fl_batch *batch, fl_err *err)
{
    fl_status st = FL_OK;
    fl_sort_sink *sink = (fl_sort_sink *)base;
    collect_local *local = ptr;
    fl_vec *keys = NULL;
    int32_t count = 0;
    FL_TRY(FL_NEW_ARRAY(&worker->arena, sink->n_keys + 1, &keys, err));
    fl_eval_begin(local->eval, batch, &worker->arena);
    for (int32_t k = 0; k < sink->n_keys; k++)
        FL_TRY(fl_eval_value(local->eval, k, batch->mask, &keys[k], err));
    if (batch->mask != NULL)
        count = fl_bitmap_to_list(batch->mask, batch->rows, local->list);
    else
        for (; count < batch->rows; count++)
            local->list[count] = (uint16_t)count;
    if (local->has_threshold)
        count = fl_threshold_filter(&sink->layout, &sink->columns[0], local->threshold, &keys[0], local->list, count);
    if (local->has_threshold && count > 0)
        FL_TRY(drop_losers(sink, local, worker, keys, &count, err));
    if (count == 0)
        return FL_OK;
    FL_TRY(fl_row_store_add(&local->store, count, local->fresh, err));
    for (int32_t k = 0; k < sink->n_keys; k++)
        FL_TRY(fl_rows_write(&sink->layout, k, &keys[k], local->list, count, local->fresh, &local->store.heap, err));
    for (int32_t c = 0; c < sink->n_cols; c++)
        FL_TRY(fl_rows_write(&sink->layout, sink->n_keys + c, &batch->vec[sink->from[c]], local->list, count,
                             local->fresh, &local->store.heap, err));
    if (sink->keep > 0) {
        FL_TRY(fl_grow(local->store.memory, (void **)&local->rows, &local->capacity, local->n_rows + count, 8, err));
        memcpy(local->rows + local->n_rows, local->fresh, (size_t)count * sizeof(*local->rows));
        local->n_rows += count;
        if (local->n_rows > 4 * sink->keep + 8192)
            st = cut(sink, local, err);
    } else {
        st = fl_stretches_add(&local->stretches, worker, count, err);
    }
cleanup:
    return st;
}

static fl_status finish(fl_stage *base, void *const *locals, int32_t n_locals, fl_err *err)
{
    fl_sort_sink *sink = (fl_sort_sink *)base;
    sink->locals = locals;
    sink->n_locals = n_locals;
    return sink->finish(sink, err);
}

static const fl_stage_ops sink_ops = {.local_new = local_new, .push = push, .finish = finish, .local_free = local_free};

fl_status fl_sort_sink_build(fl_exec *exec, const fl_node *node, const fl_sort_key *keys, int32_t n_keys, int64_t keep,
                             fl_status (*on_finish)(fl_sort_sink *sink, fl_err *err), void *owner, fl_sort_sink **ret,
                             fl_err *err)
{
    fl_status st = FL_OK;
    fl_sort_sink *sink = NULL;
    const fl_expr **exprs = NULL;
    fl_type *types = NULL;
    const fl_node *input = node->inputs[0];
    FL_TRY(fl_exec_add_stage(exec, &sink_ops, (int64_t)sizeof(*sink), node, NULL, &sink, err));
    sink->exec = exec;
    sink->n_keys = n_keys;
    sink->n_cols = node->n_cols;
    sink->keep = keep;
    sink->finish = on_finish;
    sink->owner = owner;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n_keys + 1, &exprs, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n_keys + node->n_cols + 1, &types, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n_keys + 1, &sink->columns, err));
    for (int32_t k = 0; k < n_keys; k++) {
        exprs[k] = keys[k].expr;
        types[k] = keys[k].expr->type;
        sink->columns[k] =
            (fl_sort_column){.col = k, .is_descending = keys[k].is_descending, .nulls_first = keys[k].nulls_first};
    }
    for (int32_t c = 0; c < node->n_cols; c++)
        types[n_keys + c] = fl_plan_col(exec->plan, node->cols[c])->type;
    FL_TRY(fl_row_layout_init(&sink->layout, &exec->arena, types, n_keys + node->n_cols, 0, err));
    FL_TRY(fl_program_new(&exec->arena, exec->plan, exec->context.session, exprs, n_keys, input->cols, input->n_cols,
                          &sink->keys, err));
    FL_TRY(fl_exec_col_map(exec, node->cols, node->n_cols, input, &sink->from, err));
    FL_TRY(fl_exec_build(exec, input, &sink->base, err));
    FL_TRY(fl_exec_add_finish(exec, &sink->base, err));
    *ret = sink;
cleanup:
    return st;
}

fl_status fl_sort_gather(fl_sort_sink *sink, uint8_t ***ret_rows, int64_t *ret_n, fl_err *err)
{
    fl_status st = FL_OK;
    uint8_t **rows = NULL;
    fl_stretched_rows *stores = NULL;
    int64_t n = 0, total = 0;
    int32_t n_stores = 0;
    for (int32_t w = 0; w < sink->n_locals; w++) {
        collect_local *local = sink->locals[w];
        if (local != NULL)
            total += sink->keep > 0 ? local->n_rows : local->store.rows;
    }
    FL_TRY(FL_NEW_ARRAY(&sink->exec->arena, sink->n_locals + 1, &stores, err));
    FL_TRY(fl_alloc(sink->exec->context.memory, total * 8 + 8, (void **)&rows, err));
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
    if (sink->keep == 0) {
        FL_TRY(fl_stretches_gather(sink->exec, stores, n_stores, rows, NULL, err));
        n = total;
    }
    *ret_n = n;
    *ret_rows = rows;
    rows = NULL;
cleanup:
    fl_free(rows);
    return st;
}

fl_status fl_sort_emit(fl_sort_sink *sink, const fl_node *node, fl_worker *worker, fl_stage *to, uint8_t **rows,
                       int32_t count, fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec *vecs = NULL;
    fl_arena_reset(&worker->arena);
    FL_TRY(FL_NEW_ARRAY(&worker->arena, sink->n_cols + 1, &vecs, err));
    for (int32_t c = 0; c < sink->n_cols; c++)
        FL_TRY(fl_rows_read(&sink->layout, sink->n_keys + c, rows, count, &worker->arena, &vecs[c], err));
    fl_batch batch = {.rows = count, .cols = sink->n_cols, .vec = vecs, .kept = count};
    st = fl_push(node, to, worker, &batch, err);
cleanup:
    return st;
}
