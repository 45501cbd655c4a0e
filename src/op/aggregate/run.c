/* aggregate: a group table per worker, merged when all rows are in.
 *
 * Where rows come in an order of the keys there is no table: a group is a run of rows. Each worker keeps the groups of its morsels
 * as they come, and finish() puts them in the order of the input. A group that goes on in the next morsel was begun anew there, so
 * the first of a morsel is combined with the one before it where they are the same. Where they come in an order of some keys, these make
 * runs, in which groups are found by a hash of the others (exec/run_groups.h).
 *
 * Each worker finds its rows' groups and updates their states; a chain's mask is taken as it comes, so a filter below is
 * fused: nothing is materialized between them. finish() merges the workers' tables. Aggregates over DISTINCT values or with
 * an order of their own first collect (group keys, arguments) in a table or store beside the groups, and are fed from it at
 * the end. What does not fit in memory leaves it in op/aggregate/spill.c, runs in op/aggregate/spill_runs.c. */
#include "op/aggregate/run.h"

#include "arrow/vec_check.h"
#include "arrow/vec_order.h"
#include "base/hash.h"
#include "exec/group_masks.h"
#include "exec/runs.h"
#include "exec/sorted_runs.h"

#define SEQUENCE_TYPE FL_TYPE_DECIMAL(FL_DECIMAL_PRECISION_MAX, 0) /* a number of two words: morsel's place, row */
#define APPENDED_ROWS_MIN 262144                                   /* groups that are no longer in the near caches */
#define SAMPLED_ROWS 4096                                          /* between looks whether appending still pays */
#define PREFETCHED_BYTES 256                                       /* of a row that is put out */
#define REPEATED_PART 8                                            /* of them at the most have a group already */
#define KEPT_BYTES_MIN (64 << 10) /* collected rows take before all but one are forgotten */

static fl_status local_new(fl_stage *base, fl_worker *worker, void **ret, fl_err *err)
{
    fl_status st = FL_OK;
    aggregate_stage *stage = (aggregate_stage *)base;
    fl_memory *memory = worker->exec->context.memory;
    int32_t rows_max = worker->exec->context.session->vector_rows;
    aggregate_local *local = NULL;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*local), (void **)&local, err));
    *ret = local;
    FL_TRY(fl_eval_new(stage->program, memory, rows_max, &local->eval, err));
    FL_TRY(fl_alloc(memory, rows_max * 2 + 64, (void **)&local->list, err));
    FL_TRY(fl_alloc(memory, rows_max * 8 + 64, (void **)&local->rows, err));
    FL_TRY(fl_alloc(memory, rows_max * 8 + 64, (void **)&local->side_rows, err));
    FL_TRY(fl_alloc_zero(memory, (stage->n_keys + 16) * (int64_t)sizeof(fl_vec), (void **)&local->keys, err));
    FL_TRY(
        fl_alloc_zero(memory, (stage->n_parts + 1) * (int64_t)sizeof(fl_group_table), (void **)&local->distinct, err));
    FL_TRY(fl_alloc_zero(memory, (stage->n_parts + 1) * (int64_t)sizeof(fl_row_store), (void **)&local->ordered, err));
    FL_TRY(fl_alloc_zero(memory, (stage->n_parts + 1) * 8, (void **)&local->kept_bytes, err));
    if (stage->is_sorted) {
        fl_spilled_stretches_init(&local->spilled_runs, &stage->layout, stage->kinds.states);
        FL_TRY(fl_alloc(memory, rows_max + 64, (void **)&local->starts, err));
        FL_TRY(fl_aggregate_begin_runs(stage, local, err));
    } else {
        FL_TRY(fl_group_table_init(&local->groups, &stage->layout, stage->n_keys, rows_max, memory, err));
        FL_TRY(fl_group_table_add_index(&local->groups, stage->ranges, err));
    }
    if (stage->n_keys == 0)
        FL_TRY(fl_row_store_add(&local->groups.store, 1, &local->single, err));
    for (int32_t a = 0; a < stage->n_parts; a++) {
        if (stage->parts[a].feed == FEED_DISTINCT) {
            FL_TRY(fl_group_table_init(&local->distinct[a], &stage->parts[a].side, stage->parts[a].n_side, rows_max,
                                       memory, err));
            FL_TRY(fl_group_table_add_index(&local->distinct[a], NULL, err));
        } else if (stage->parts[a].feed == FEED_ORDERED) {
            fl_row_store_init(&local->ordered[a], &stage->parts[a].side, memory);
        }
    }
    if (stage->can_spill)
        fl_spill_register(worker->exec, &local->holder);
cleanup:
    return st;
}

static void local_free(fl_stage *base, void *ptr)
{
    aggregate_stage *stage = (aggregate_stage *)base;
    aggregate_local *local = ptr;
    fl_eval_free(local->eval);
    for (int32_t a = 0; a < stage->n_parts; a++) {
        if (local->distinct != NULL && local->distinct[a].store.layout != NULL)
            fl_group_table_drop(&local->distinct[a]);
        if (local->ordered != NULL && local->ordered[a].layout != NULL)
            fl_row_store_drop(&local->ordered[a]);
    }
    if (local->groups.store.layout != NULL)
        fl_group_table_drop(&local->groups);
    fl_group_parts_drop(&stage->kinds, &local->spilled);
    fl_spilled_stretches_drop(&local->spilled_runs);
    fl_run_groups_drop(&local->in_runs);
    fl_stretches_drop(&local->stretches);
    fl_free(local->starts);
    fl_free(local->list);
    fl_free(local->rows);
    fl_free(local->side_rows);
    fl_free(local->keys);
    fl_free(local->distinct);
    fl_free(local->ordered);
    fl_free(local->kept_bytes);
    fl_free(local);
}

/* Kernels take flat arguments; narrow decimals stay as they are. */
static fl_status flat_arg(fl_arena *arena, fl_vec *vec, int32_t rows, fl_err *err)
{
    if (vec->layout == FL_FLAT && !(fl_type_is_string(vec->type) && vec->form == FL_OFFSETS))
        return FL_OK;
    return fl_vec_flatten(arena, vec, rows, vec, err);
}

/* Rows for which the aggregate's FILTER holds; NULL = no filter. */
static fl_status filter_mask(aggregate_stage *stage, aggregate_local *local, const agg_part *part, fl_worker *worker,
                             const fl_batch *batch, const uint64_t **ret, fl_err *err)
{
    (void)stage;
    fl_status st = FL_OK;
    int64_t words = fl_bitmap_words(batch->rows);
    uint64_t *mask = NULL;
    int32_t kept = 0;
    *ret = batch->mask;
    if (part->filter < 0)
        return FL_OK;
    FL_TRY(fl_arena_get(&worker->arena, words * 8 + 8, (void **)&mask, err));
    if (batch->mask != NULL)
        memcpy(mask, batch->mask, (size_t)words * 8);
    else
        fl_bitmap_fill(mask, batch->rows, true);
    mask[words - 1] &= fl_bitmap_tail(batch->rows);
    FL_TRY(fl_eval_filter(local->eval, part->filter, mask, &kept, err));
    *ret = mask;
cleanup:
    return st;
}

/* An argument or an order key of an aggregate, for the rows of its mask: those of a FILTER are its own. */
static fl_status value_for(aggregate_local *local, const agg_part *part, int32_t i, const uint64_t *mask, fl_vec *ret,
                           fl_err *err)
{
    return part->filter < 0 ? fl_eval_value(local->eval, i, mask, ret, err)
                            : fl_eval_value_apart(local->eval, i, mask, ret, err);
}

/* The order in which collected rows are fed: DISTINCT ones with equal values of a group side by side. */
static fl_status feed_order(const aggregate_stage *stage, const agg_part *part, fl_arena *arena, fl_sort_column **ret,
                            int32_t *ret_n, fl_err *err)
{
    fl_status st = FL_OK;
    fl_sort_column *columns = NULL;
    int32_t at = stage->n_keys + part->agg->n_args, n = 0;
    FL_TRY(FL_NEW_ARRAY(arena, at + part->agg->n_order + 1, &columns, err));
    for (int32_t k = 0; part->agg->is_distinct && k < stage->n_keys; k++)
        columns[n++] = (fl_sort_column){.col = k};
    for (int32_t i = 0; i < part->agg->n_order; i++)
        columns[n++] = (fl_sort_column){.col = at + i,
                                        .is_descending = part->agg->order[i].is_descending,
                                        .nulls_first = part->agg->order[i].nulls_first};
    for (int32_t i = stage->n_keys; part->agg->is_distinct && i < at; i++)
        columns[n++] = (fl_sort_column){.col = i};
    columns[n++] = (fl_sort_column){.col = at + part->agg->n_order};
    *ret = columns;
    *ret_n = n;
cleanup:
    return st;
}

/* Forgets the collected rows but the one that is wanted, when they take much more than it does. */
static fl_status keep_one(const aggregate_stage *stage, aggregate_local *local, int32_t a, fl_worker *worker,
                          fl_err *err)
{
    fl_status st = FL_OK;
    const agg_part *part = &stage->parts[a];
    fl_row_store *store = &local->ordered[a], kept;
    fl_row_cursor at = {.store = store, .block = store->first};
    fl_sort_column *columns = NULL;
    int32_t n_columns = 0;
    uint16_t first = 0;
    uint8_t *best = NULL, *row = NULL;
    fl_row_store_init(&kept, &part->side, store->memory);
    if (store->rows * part->side.bytes + store->heap.bytes < 2 * local->kept_bytes[a] + KEPT_BYTES_MIN)
        return FL_OK;
    FL_TRY(feed_order(stage, part, &worker->arena, &columns, &n_columns, err));
    for (int64_t i = 0; i < store->rows; i++) {
        row = fl_row_cursor_next(&at);
        int order = best == NULL ? 0 : fl_sort_compare(&part->side, columns, n_columns, row, best);
        if (best == NULL || (part->agg->kernel->wanted == FL_ROWS_FIRST ? order < 0 : order > 0))
            best = row;
    }
    FL_TRY(fl_row_store_add(&kept, 1, &row, err));
    for (int32_t c = 0; c < part->n_side; c++) {
        fl_vec vec;
        FL_TRY(fl_rows_read(&part->side, c, &best, 1, &worker->arena, &vec, err));
        FL_TRY(fl_rows_write(&part->side, c, &vec, &first, 1, &row, &kept.heap, err));
    }
    fl_row_store_drop(store);
    *store = kept;
    local->kept_bytes[a] = part->side.bytes + kept.heap.bytes;
    fl_row_store_init(&kept, &part->side, store->memory);
cleanup:
    fl_row_store_drop(&kept);
    return st;
}

/* Collects a row per input row for DISTINCT and ordered aggregates: group keys, arguments, order keys. */
static fl_status collect(aggregate_stage *stage, aggregate_local *local, int32_t a, fl_worker *worker,
                         const fl_batch *batch, const uint64_t *mask, fl_err *err)
{
    fl_status st = FL_OK;
    const agg_part *part = &stage->parts[a];
    fl_vec *vecs = NULL;
    int32_t n = 0;
    uint16_t *list = NULL;
    FL_TRY(FL_NEW_ARRAY(&worker->arena, part->n_side + 1, &vecs, err));
    FL_TRY(fl_arena_get(&worker->arena, batch->rows * 2 + 64, (void **)&list, err));
    for (int32_t k = 0; k < stage->n_keys; k++)
        vecs[n++] = local->keys[k];
    for (int32_t i = 0; i < part->agg->n_args; i++)
        FL_TRY(value_for(local, part, part->args[i], mask, &vecs[n++], err));
    int32_t count = 0;
    if (mask != NULL)
        count = fl_bitmap_to_list(mask, batch->rows, list);
    else
        for (; count < batch->rows; count++)
            list[count] = (uint16_t)count;
    if (count == 0)
        return FL_OK;
    if (part->feed == FEED_DISTINCT) {
        fl_group_table *table = &local->distinct[a];
        int64_t known = table->store.rows;
        uint64_t seed = worker->exec->context.session->seed;
        st = fl_group_table_find(table, vecs, list, count, seed, true, local->side_rows, err);
        if (st == FL_ERR_MEMORY && part->kind >= 0 && known > 0 && table->store.rows == known) { /* none was taken in */
            FL_TRY(fl_aggregate_spill_side(stage, local, a, err));
            st = fl_group_table_find(table, vecs, list, count, seed, true, local->side_rows, err);
        }
    } else {
        fl_i128 *sequence = NULL, place = fl_sorted_run_place(worker->pipeline, worker->morsel);
        bool takes_one = aggregate_takes_one(stage, part);
        if (takes_one && part->agg->n_order == 0) { /* of those of a batch it is at an end */
            list[0] = part->agg->kernel->wanted == FL_ROWS_FIRST ? list[0] : list[count - 1];
            count = 1;
        }
        for (int32_t i = 0; i < part->agg->n_order; i++)
            FL_TRY(value_for(local, part, part->order[i], mask, &vecs[n++], err));
        FL_TRY(fl_arena_get(&worker->arena, batch->rows * 16 + 64, (void **)&sequence, err));
        for (int32_t i = 0; i < batch->rows; i++) /* pipelines and morsels in order, rows in order within */
            sequence[i] = (place << 64) + local->sequence++;
        fl_vec_set_flat(&vecs[n++], SEQUENCE_TYPE, sequence, NULL);
        FL_TRY(fl_row_store_add(&local->ordered[a], count, local->side_rows, err));
        for (int32_t c = 0; c < n; c++)
            FL_TRY(
                fl_rows_write(&part->side, c, &vecs[c], list, count, local->side_rows, &local->ordered[a].heap, err));
        if (takes_one)
            st = keep_one(stage, local, a, worker, err);
    }
cleanup:
    return st;
}

#define MASKED_PARTS_MIN 2 /* to split a batch costs about what one of them saves */
#define SPLIT_PAUSE 64
#define CHECK_ROWS 65536 /* a power of two: rows of a side between looks whether the statement shall stop */

/* Splits a batch by its groups, unless it is known not to pay. */
static fl_status split(aggregate_stage *stage, aggregate_local *local, fl_worker *worker, const fl_batch *batch,
                       int32_t count, fl_group_masks *ret, fl_err *err)
{
    ret->n = 0;
    if (stage->n_keys == 0 || stage->n_masked < MASKED_PARTS_MIN || count * 8 < batch->rows)
        return FL_OK;
    if (local->pause > 0) {
        local->pause--;
        return FL_OK;
    }
    fl_status st = fl_group_masks_split(local->rows, local->list, count, batch->rows, &worker->arena, ret, err);
    if (ret->n == 0)
        local->pause = SPLIT_PAUSE;
    return st;
}

/* Whether the list's first row goes on with the run of the last one. */
static bool goes_on(const aggregate_stage *stage, aggregate_local *local, const fl_worker *worker)
{
    uint16_t match = 0, differ = 0;
    int32_t n_differ = 0;
    if (local->last == NULL || !fl_stretches_go_on(&local->stretches, worker))
        return false;
    for (int32_t k = 0; k < stage->n_ordered && n_differ == 0; k++)
        fl_rows_match(&stage->layout, k, &local->keys[k], local->list, &local->last, &match, 1, &differ, &n_differ);
    return n_differ == 0;
}

#if defined(FLETCH_SLOW_ASSERTS)
/* Of two rows of a batch, the first key that the rows come in an order of and that tells them apart. */
static int compare_in_order(const aggregate_stage *stage, const aggregate_local *local, uint16_t a, uint16_t b)
{
    const fl_aggregate_attrs *attrs = fl_aggregate_of(stage->base.node);
    for (int32_t i = 0; i < attrs->n_order; i++) {
        const fl_vec *key = NULL;
        for (int32_t k = 0; k < attrs->n_keys; k++)
            key = attrs->keys[k] == attrs->order[i].expr ? &local->keys[k] : key;
        if (key == NULL || !fl_type_is_ordered(key->type))
            return 0;
        bool is_a = fl_vec_is_valid(key, a), is_b = fl_vec_is_valid(key, b);
        if (is_a != is_b)
            return is_b == attrs->order[i].nulls_first ? -1 : 1;
        int order = is_a ? fl_vec_compare(key, fl_vec_row(key, a), key, fl_vec_row(key, b)) : 0;
        if (order != 0)
            return attrs->order[i].is_descending ? -order : order;
    }
    return 0;
}

static const char *order_fault(const aggregate_stage *stage, const aggregate_local *local, int32_t count)
{
    for (int32_t i = 1; i < count; i++)
        if (compare_in_order(stage, local, local->list[i - 1], local->list[i]) > 0)
            return "rows do not come in the order of their keys";
    return NULL;
}
#endif

/* Where runs begin among the list's rows, which come in an order of the first keys. */
static fl_status mark_runs(aggregate_stage *stage, aggregate_local *local, fl_worker *worker, const fl_batch *batch,
                           int32_t count, fl_err *err)
{
    fl_status st = FL_OK;
    memset(local->starts, 0, (size_t)count);
    for (int32_t k = 0; k < stage->n_keys; k++) {
        fl_vec *key = &local->keys[k];
        if (key->layout == FL_DICT && !fl_type_is_string(key->type))
            FL_TRY(fl_vec_flatten(&worker->arena, key, batch->rows, key, err));
        if (k < stage->n_ordered)
            fl_runs_mark(key, local->list, count, local->starts);
    }
    local->starts[0] = !goes_on(stage, local, worker);
    FL_ASSERT_NO_FAULT(order_fault(stage, local, count));
cleanup:
    return st;
}

/* The groups of rows that come in an order of all keys: each is a run. */
static fl_status find_runs(aggregate_stage *stage, aggregate_local *local, fl_worker *worker, int32_t count,
                           fl_err *err)
{
    fl_status st = FL_OK;
    uint16_t *firsts = NULL;
    uint8_t **fresh = local->side_rows;
    int32_t n = 0;
    FL_TRY(fl_arena_get(&worker->arena, count * 2 + 64, (void **)&firsts, err));
    for (int32_t i = 0; i < count; i++) {
        firsts[n] = local->list[i];
        n += local->starts[i];
    }
    if (n > 0) {
        FL_TRY(fl_row_store_add(&local->groups.store, n, fresh, err));
        for (int32_t k = 0; k < stage->n_keys; k++)
            FL_TRY(fl_rows_write(&stage->layout, k, &local->keys[k], firsts, n, fresh, &local->groups.store.heap, err));
        FL_TRY(fl_stretches_add(&local->stretches, worker, n, err));
    }
    FL_ASSERT(count == 0 || local->starts[0] || local->last != NULL); /* the run that goes on has a row */
    uint8_t *row = local->last;
    for (int32_t i = 0; i < count; i++) {
        row = local->starts[i] ? *fresh++ : row;
        local->rows[i] = row;
    }
    local->last = row;
cleanup:
    return st;
}

/* The groups of rows that come in an order of the first keys: each lies in a run of these. */
static fl_status find_in_runs(aggregate_stage *stage, aggregate_local *local, fl_worker *worker, int32_t count,
                              fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n_fresh = 0;
    FL_TRY(fl_run_groups_find(&local->in_runs, local->keys, local->list, count, local->starts, local->rows, &n_fresh,
                              err));
    if (n_fresh > 0)
        FL_TRY(fl_stretches_add(&local->stretches, worker, n_fresh, err));
    local->last = count > 0 ? local->rows[count - 1] : local->last;
cleanup:
    return st;
}

/* The groups of rows that come in an order of keys. */
static fl_status find_ordered(aggregate_stage *stage, aggregate_local *local, fl_worker *worker, int32_t count,
                              fl_err *err)
{
    fl_status st = FL_OK;
    fl_status (*const find)(aggregate_stage *, aggregate_local *, fl_worker *, int32_t, fl_err *) =
        stage->n_ordered < stage->n_keys ? find_in_runs : find_runs;
    fl_row_mark mark = fl_row_store_mark(&local->groups.store);
    st = find(stage, local, worker, count, err);
    if (st == FL_ERR_MEMORY && stage->can_spill && mark.rows > 0) {
        fl_row_store_rewind(&local->groups.store, mark);
        FL_TRY(fl_aggregate_spill_runs(stage, local, worker, err));
        local->starts[0] = true;
        st = find(stage, local, worker, count, err);
    }
cleanup:
    return st;
}

/* Whether rows get groups of their own from here on, or are looked up again. One worker's table is the result as it is, so looking up is
 * cheaper for it than putting rows together. */
static void choose_appending(const aggregate_stage *stage, aggregate_local *local)
{
    fl_group_table *table = &local->groups;
    bool is_merged = stage->exec->n_workers > 1;
    if (local->appends && table->n_sampled >= SAMPLED_ROWS) {
        local->appends = table->n_known * REPEATED_PART <= table->n_sampled;
        local->looks_up = !local->appends;
        table->n_sampled = table->n_known = 0;
    } else if (is_merged && !local->appends && !local->looks_up && stage->n_collected == 0 &&
               !table->index.is_complete && table->store.rows >= APPENDED_ROWS_MIN) {
        local->appends = aggregate_repeats_few(local);
    }
}

static fl_status find_or_append(aggregate_local *local, const fl_worker *worker, int32_t count, fl_err *err)
{
    uint64_t seed = worker->exec->context.session->seed;
    fl_group_table *table = &local->groups;
    return local->appends ? fl_group_table_append(table, local->keys, local->list, count, seed, local->rows, err)
                          : fl_group_table_find(table, local->keys, local->list, count, seed, true, local->rows, err);
}

/* The groups of rows in any order. */
static fl_status find_groups(aggregate_stage *stage, aggregate_local *local, fl_worker *worker, int32_t count,
                             fl_err *err)
{
    fl_status st = FL_OK;
    fl_group_table *table = &local->groups;
    fl_row_mark mark = fl_row_store_mark(&table->store);
    choose_appending(stage, local);
    local->n_seen += count;
    st = find_or_append(local, worker, count, err);
    if (st != FL_ERR_MEMORY || !stage->can_spill || mark.rows == 0)
        return st;
    if (local->appends)
        fl_row_store_rewind(&table->store, mark);
    if (table->store.rows > mark.rows) /* some were made */
        return st;
    FL_TRY(fl_aggregate_spill(stage, local, err));
    st = find_or_append(local, worker, count, err);
cleanup:
    return st;
}

static fl_status push(fl_stage *base, fl_worker *worker, void *ptr, fl_batch *batch, fl_err *err)
{
    fl_status st = FL_OK;
    aggregate_stage *stage = (aggregate_stage *)base;
    aggregate_local *local = ptr;
    fl_group_masks split_rows;
    int32_t count = batch->kept;
    if (stage->can_spill)
        FL_TRY(fl_aggregate_spill_if_due(stage, local, worker, err));
    fl_eval_begin(local->eval, batch, &worker->arena);
    for (int32_t k = 0; k < stage->n_keys; k++)
        FL_TRY(fl_eval_value(local->eval, k, batch->mask, &local->keys[k], err));
    if (stage->n_keys > 0) {
        if (batch->mask != NULL)
            count = fl_bitmap_to_list(batch->mask, batch->rows, local->list);
        else
            for (int32_t i = 0; i < count; i++)
                local->list[i] = (uint16_t)i;
        if (stage->is_sorted) {
            FL_TRY(mark_runs(stage, local, worker, batch, count, err));
            FL_TRY(find_ordered(stage, local, worker, count, err));
        } else {
            FL_TRY(find_groups(stage, local, worker, count, err));
        }
    }
    FL_ASSERT(count == batch->kept);
    FL_TRY(split(stage, local, worker, batch, count, &split_rows, err));
    for (int32_t a = 0; a < stage->n_parts; a++) {
        const agg_part *part = &stage->parts[a];
        const uint64_t *mask = NULL;
        fl_vec args[FL_AGG_ARGS_MAX];
        FL_TRY(filter_mask(stage, local, part, worker, batch, &mask, err));
        if (part->feed != FEED_DIRECT) {
            FL_TRY(collect(stage, local, a, worker, batch, mask, err));
            continue;
        }
        for (int32_t i = 0; i < part->agg->n_args; i++) {
            FL_TRY(value_for(local, part, part->args[i], mask, &args[i], err));
            FL_TRY(flat_arg(&worker->arena, &args[i], batch->rows, err));
        }
        const fl_agg_kernel *kernel = part->agg->kernel;
        fl_agg_call call = aggregate_call(part, args, &local->groups.store.heap);
        if (stage->n_keys == 0 && kernel->update_all != NULL) {
            FL_TRY(kernel->update_all(&call, local->single + part->offset, mask, batch->rows, err));
            continue;
        }
        if (part->filter < 0 && kernel->is_masked && kernel->update_all != NULL && split_rows.n > 0) {
            for (int32_t i = 0; i < part->agg->n_args; i++)
                fl_vec_measure(&args[i], batch->rows);
            for (int32_t g = 0; g < split_rows.n; g++)
                FL_TRY(kernel->update_all(&call, split_rows.groups[g] + part->offset, split_rows.masks[g], batch->rows,
                                          err));
            continue;
        }
        const uint16_t *list = local->list;
        uint8_t **rows = local->rows;
        int32_t n = count;
        if (stage->n_keys == 0 || mask != batch->mask) { /* its own list: narrowed by FILTER, or there was none yet */
            uint16_t *narrowed = NULL;
            uint8_t **narrowed_rows = NULL;
            FL_TRY(fl_arena_get(&worker->arena, batch->rows * 2 + 64, (void **)&narrowed, err));
            FL_TRY(fl_arena_get(&worker->arena, batch->rows * 8 + 64, (void **)&narrowed_rows, err));
            n = 0;
            for (int32_t i = 0, from = 0; i < batch->rows; i++) {
                bool in_batch = batch->mask == NULL || fl_bit_get(batch->mask, i);
                if (in_batch && (mask == NULL || fl_bit_get(mask, i))) {
                    narrowed[n] = (uint16_t)i;
                    narrowed_rows[n++] = stage->n_keys == 0 ? local->single : local->rows[from];
                }
                from += in_batch;
            }
            list = narrowed;
            rows = narrowed_rows;
        }
        FL_ASSERT_NO_FAULT(fl_list_fault(list, n, batch->rows));
        FL_TRY(kernel->update_groups(&call, rows, part->offset, list, n, err));
    }
cleanup:
    return st;
}

/* ---- finishing ---------------------------------------------------------------------------------------------------- */

fl_status fl_aggregate_combine_row(void *ctx, uint8_t *into, const uint8_t *row, fl_arena *heap, fl_err *err)
{
    fl_status st = FL_OK;
    aggregate_stage *stage = ctx;
    for (int32_t a = 0; a < stage->n_parts; a++) {
        const agg_part *part = &stage->parts[a];
        if (part->feed != FEED_DIRECT)
            continue;
        fl_agg_call call = aggregate_call(part, NULL, heap);
        FL_TRY(part->agg->kernel->combine(&call, into + part->offset, row + part->offset, err));
    }
cleanup:
    return st;
}

/* Feeds a batch of collected rows to their groups' rows. */
static fl_status feed_rows(aggregate_stage *stage, int32_t a, const fed_groups *to, uint8_t **rows, int32_t count,
                           fl_err *err)
{
    fl_status st = FL_OK;
    agg_part *part = &stage->parts[a];
    fl_arena scratch;
    fl_vec *vecs = NULL;
    uint16_t *list = NULL;
    uint64_t *hashes = NULL;
    uint8_t **groups = NULL;
    uint64_t seed = stage->exec->context.session->seed;
    fl_arena_init(&scratch, stage->exec->context.memory);
    FL_TRY(FL_NEW_ARRAY(&scratch, part->n_side + 1, &vecs, err));
    FL_TRY(FL_NEW_ARRAY(&scratch, count + 32, &list, err));
    FL_TRY(FL_NEW_ARRAY(&scratch, count, &hashes, err));
    FL_TRY(FL_NEW_ARRAY(&scratch, count, &groups, err));
    for (int32_t i = 0; i < count; i++)
        list[i] = (uint16_t)i;
    for (int32_t c = 0; c < stage->n_keys + part->agg->n_args; c++)
        FL_TRY(fl_rows_read(&part->side, c, rows, count, &scratch, &vecs[c], err));
    if (stage->n_keys == 0) {
        for (int32_t i = 0; i < count; i++)
            groups[i] = to->single;
    } else if (to->n_tables == 1) {
        FL_TRY(fl_group_table_find(&to->tables[0], vecs, list, count, seed, false, groups, err));
    } else {
        fl_rows_hash(vecs, stage->n_keys, list, count, seed, hashes);
        for (int32_t t = 0; t < to->n_tables; t++) { /* rows of one partition at a time */
            int32_t n = 0;
            uint16_t *own = NULL;
            uint64_t *own_hashes = NULL;
            uint8_t **own_groups = NULL;
            FL_TRY(FL_NEW_ARRAY(&scratch, count + 32, &own, err));
            FL_TRY(FL_NEW_ARRAY(&scratch, count, &own_hashes, err));
            FL_TRY(FL_NEW_ARRAY(&scratch, count, &own_groups, err));
            for (int32_t i = 0; i < count; i++)
                if ((int32_t)(hashes[i] >> 60) == t) {
                    own[n] = (uint16_t)i;
                    own_hashes[n++] = hashes[i];
                }
            if (n == 0)
                continue;
            FL_TRY(fl_group_table_find_hashed(&to->tables[t], vecs, own, n, own_hashes, false, own_groups, err));
            for (int32_t i = 0; i < n; i++)
                groups[own[i]] = own_groups[i];
        }
    }
    for (int32_t i = 0; i < count; i++)
        FL_ASSERT_SLOW(groups[i] != NULL); /* what was collected was collected of a group */
    fl_vec args[FL_AGG_ARGS_MAX];
    for (int32_t i = 0; i < part->agg->n_args; i++)
        args[i] = vecs[stage->n_keys + i];
    fl_agg_call call = aggregate_call(part, args, to->heap);
    st = part->agg->kernel->update_groups(&call, groups, part->offset, list, count, err);
cleanup:
    fl_arena_drop(&scratch);
    return st;
}

fl_status fl_aggregate_feed(aggregate_stage *stage, int32_t a, const fed_groups *groups, uint8_t **rows, int64_t n,
                            fl_err *err)
{
    fl_status st = FL_OK;
    int32_t rows_max = stage->exec->context.session->vector_rows;
    for (int64_t start = 0; start < n; start += rows_max) {
        int32_t count = n - start < rows_max ? (int32_t)(n - start) : rows_max;
        FL_TRY(feed_rows(stage, a, groups, rows + start, count, err));
        FL_TRY(fl_exec_check(stage->exec, err));
    }
cleanup:
    return st;
}

fl_status fl_aggregate_order_rows(aggregate_stage *stage, int32_t a, fl_exec *exec, uint8_t **rows, int64_t *n,
                                  fl_err *err)
{
    fl_status st = FL_OK;
    const agg_part *part = &stage->parts[a];
    fl_arena scratch;
    fl_arena_init(&scratch, stage->exec->context.memory);
    fl_sort_column *columns = NULL;
    int32_t at = stage->n_keys + part->agg->n_args, n_columns = 0;
    FL_TRY(feed_order(stage, part, &scratch, &columns, &n_columns, err));
    FL_TRY(fl_sort_rows(exec, &part->side, columns, n_columns, rows, *n, stage->exec->context.memory, err));
    if (part->agg->is_distinct) {
        int64_t kept = 0;
        for (int32_t i = 0; i < at; i++)
            columns[i] = (fl_sort_column){.col = i}; /* group keys and arguments */
        for (int64_t i = 0; i < *n; i++) {
            if ((i & (CHECK_ROWS - 1)) == 0)
                FL_TRY(fl_exec_check(stage->exec, err));
            if (kept == 0 || fl_sort_compare(&part->side, columns, at, rows[kept - 1], rows[i]) != 0)
                rows[kept++] = rows[i];
        }
        *n = kept;
    }
cleanup:
    fl_arena_drop(&scratch);
    return st;
}

static fl_status feed_part(aggregate_stage *stage, int32_t a, aggregate_local *const *locals, int32_t n_locals,
                           uint8_t *single_row, fl_err *err)
{
    fl_status st = FL_OK;
    agg_part *part = &stage->parts[a];
    int64_t n = 0, capacity = 0;
    uint8_t **rows = NULL;
    fl_group_table **tables = NULL;
    fl_group_result merged = {0};
    if (part->feed == FEED_DISTINCT) {
        int32_t n_tables = 0;
        FL_TRY(FL_NEW_ARRAY(&stage->exec->arena, n_locals + 1, &tables, err));
        for (int32_t w = 0; w < n_locals; w++)
            if (locals[w] != NULL)
                tables[n_tables++] = &locals[w]->distinct[a];
        FL_TRY(fl_group_merge(stage->exec, &part->side, part->n_side, tables, n_tables, NULL, NULL, &merged, err));
    }
    for (int32_t w = 0; part->feed == FEED_ORDERED && w < n_locals; w++) {
        if (locals[w] == NULL)
            continue;
        fl_row_store *store = &locals[w]->ordered[a];
        FL_TRY(fl_grow(stage->exec->context.memory, (void **)&rows, &capacity, n + store->rows + 1, 8, err));
        for (fl_row_block *b = store->first; b != NULL; b = b->next) {
            FL_TRY(fl_exec_check(stage->exec, err));
            for (int32_t i = 0; i < b->rows; i++)
                rows[n++] = b->data + (int64_t)i * part->side.bytes;
        }
    }
    if (part->feed == FEED_ORDERED)
        FL_TRY(fl_aggregate_order_rows(stage, a, stage->exec, rows, &n, err));
    fed_groups groups = {.single = single_row,
                         .tables = stage->result->groups.tables,
                         .n_tables = stage->result->groups.n_tables,
                         .heap = &stage->heap};
    for (int32_t t = 0; t < merged.n_tables; t++)
        FL_TRY(fl_aggregate_feed(stage, a, &groups, merged.rows[t], merged.n_rows[t], err));
    st = fl_aggregate_feed(stage, a, &groups, rows, n, err);
cleanup:
    fl_free(rows);
    fl_group_result_drop(&merged);
    return st;
}

fl_status fl_aggregate_join_runs(aggregate_stage *stage, uint8_t **rows, const int64_t *starts, int64_t n_stretches,
                                 fl_arena *heap, int64_t *ret_n, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t kept = 0;
    if (stage->n_ordered < stage->n_keys)
        return fl_run_groups_join(stage->exec, &stage->layout, stage->n_ordered, stage->n_keys, rows, starts,
                                  n_stretches, fl_aggregate_combine_row, stage, heap, ret_n, err);
    for (int64_t s = 0; s < n_stretches; s++) {
        int64_t from = starts[s], end = starts[s + 1];
        if (kept > 0 && from < end && fl_rows_are_same(&stage->layout, stage->n_keys, rows[kept - 1], rows[from])) {
            FL_TRY(fl_aggregate_combine_row(stage, rows[kept - 1], rows[from], heap, err));
            from++;
        }
        if (kept < from)
            memmove(rows + kept, rows + from, (size_t)(end - from) * sizeof(*rows));
        kept += end - from;
        FL_TRY(fl_exec_check(stage->exec, err));
    }
    FL_ASSERT(n_stretches == 0 || kept <= starts[n_stretches]);
    *ret_n = kept;
cleanup:
    return st;
}

/* All groups in the order of the input. */
static fl_status list_runs(aggregate_stage *stage, aggregate_local *const *locals, int32_t n_locals, fl_err *err)
{
    fl_status st = FL_OK;
    fl_exec *exec = stage->exec;
    aggregate_source *result = stage->result;
    fl_stretched_rows *stores = NULL;
    int64_t *starts = NULL, n_rows = 0, n_stretches = 0;
    int32_t n = 0;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n_locals + 1, &stores, err));
    for (int32_t w = 0; w < n_locals; w++) {
        if (locals[w] == NULL)
            continue;
        stores[n++] = (fl_stretched_rows){&locals[w]->groups.store, &locals[w]->stretches};
        n_rows += locals[w]->groups.store.rows;
        n_stretches += locals[w]->stretches.n;
    }
    FL_TRY(FL_NEW_ARRAY(&exec->arena, 1, &result->rows, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, 1, &result->n_rows, err));
    FL_TRY(fl_arena_get(&exec->arena, n_rows * 8 + 64, (void **)&result->rows[0], err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n_stretches + 1, &starts, err));
    FL_TRY(fl_stretches_gather(exec, stores, n, result->rows[0], starts, err));
    starts[n_stretches] = n_rows;
    uint8_t **rows = result->rows[0];
    st = fl_aggregate_join_runs(stage, rows, starts, n_stretches, &stage->heap, &result->n_rows[0], err);
cleanup:
    return st;
}

static fl_status finish(fl_stage *base, void *const *ptrs, int32_t n_locals, fl_err *err)
{
    fl_status st = FL_OK;
    aggregate_stage *stage = (aggregate_stage *)base;
    aggregate_local *const *locals = (aggregate_local *const *)ptrs;
    aggregate_source *result = stage->result;
    fl_exec *exec = stage->exec;
    uint8_t *single = NULL;
    fl_group_table **tables = NULL;
    int32_t n = 0;
    for (int32_t w = 0; w < n_locals; w++)
        if (locals[w] != NULL) {
            fl_spill_ended(&locals[w]->holder);
            stage->is_spilled |= locals[w]->spilled.rows != NULL || locals[w]->spilled_runs.n > 0;
        }
    stage->is_spilled |= stage->can_spill && !fl_aggregate_can_finish(stage, locals, n_locals);
    if (stage->is_sorted)
        return stage->is_spilled ? fl_aggregate_finish_runs(stage, locals, n_locals, err)
                                 : list_runs(stage, locals, n_locals, err);
    if (stage->is_spilled && stage->n_keys > 0)
        return fl_aggregate_finish_spill(stage, locals, n_locals, NULL, err);
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n_locals + 1, &tables, err));
    for (int32_t w = 0; w < n_locals; w++)
        if (locals[w] != NULL)
            tables[n++] = &locals[w]->groups;
    if (stage->n_keys == 0) {
        for (int32_t w = 0; w < n_locals; w++) {
            if (locals[w] == NULL)
                continue;
            if (single == NULL) {
                single = locals[w]->single;
                continue;
            }
            for (int32_t a = 0; a < stage->n_parts; a++) {
                const agg_part *part = &stage->parts[a];
                fl_agg_call call = aggregate_call(part, NULL, &stage->heap);
                if (part->feed == FEED_DIRECT)
                    FL_TRY(part->agg->kernel->combine(&call, single + part->offset, locals[w]->single + part->offset,
                                                      err));
            }
        }
        if (single == NULL) /* no worker saw a row */
            FL_TRY(fl_arena_get_zero(&exec->arena, stage->layout.bytes, (void **)&single, err));
    } else {
        FL_TRY(fl_group_merge(exec, &stage->layout, stage->n_keys, tables, n, fl_aggregate_combine_row, stage,
                              &result->groups, err));
    }
    if (stage->is_spilled)
        FL_TRY(fl_aggregate_finish_spill(stage, locals, n_locals, single, err));
    for (int32_t a = 0; a < stage->n_parts; a++)
        if (stage->parts[a].feed != FEED_DIRECT && !(stage->is_spilled && stage->parts[a].kind >= 0))
            FL_TRY(feed_part(stage, a, locals, n_locals, single, err));
    int32_t n_tables = stage->n_keys > 0 ? result->groups.n_tables : 1;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n_tables, &result->rows, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n_tables, &result->n_rows, err));
    for (int32_t t = 0; t < n_tables && stage->n_keys > 0; t++) {
        result->rows[t] = result->groups.rows[t];
        result->n_rows[t] = result->groups.n_rows[t];
    }
    if (stage->n_keys == 0) {
        FL_TRY(FL_NEW_ARRAY(&exec->arena, 1, &result->rows[0], err));
        result->rows[0][0] = single;
        result->n_rows[0] = 1;
    }
cleanup:
    return st;
}

static void stage_free(fl_stage *base)
{
    aggregate_stage *stage = (aggregate_stage *)base;
    fl_aggregate_drop_spill(stage);
    fl_arena_drop(&stage->heap);
}

static const fl_stage_ops stage_ops = {
    .local_new = local_new, .push = push, .finish = finish, .local_free = local_free, .free = stage_free};

/* ---- the result as a source --------------------------------------------------------------------------------------- */

fl_status fl_aggregate_emit(aggregate_source *source, fl_worker *worker, fl_stage *to, uint8_t **rows, int32_t count,
                            fl_err *err)
{
    fl_status st = FL_OK;
    aggregate_stage *stage = source->stage;
    const fl_node *node = source->base.node;
    fl_vec *vecs = NULL;
    fl_arena_reset(&worker->arena);
    for (int32_t at = 0; at < stage->layout.bytes && at < PREFETCHED_BYTES; at += 64)
        for (int32_t i = 0; i < count; i++) /* they lie far from each other, and each column goes over all of them */
            __builtin_prefetch(rows[i] + at);
    FL_TRY(FL_NEW_ARRAY(&worker->arena, node->n_cols + 1, &vecs, err));
    for (int32_t c = 0; c < node->n_cols; c++) {
        if (source->from[c] >= 0) {
            FL_TRY(fl_rows_read(&stage->layout, source->from[c], rows, count, &worker->arena, &vecs[c], err));
            continue;
        }
        const agg_part *part = &stage->parts[-1 - source->from[c]];
        uint64_t *valid = NULL;
        void *data = NULL;
        int64_t words = fl_bitmap_words(count) + 1;
        FL_TRY(fl_arena_get(&worker->arena, words * 8, (void **)&valid, err));
        fl_bitmap_fill(valid, count, true);
        FL_TRY(fl_arena_get_zero(&worker->arena, (int64_t)count * 16 + 64, &data, err));
        fl_vec_set_flat(&vecs[c], part->agg->type, data, valid);
        fl_agg_call call = aggregate_call(part, NULL, &worker->arena);
        FL_TRY(part->agg->kernel->finish(&call, rows, part->offset, count, &vecs[c], err));
        bool any_null = false;
        for (int64_t w = 0; w < fl_bitmap_words(count); w++)
            any_null |= (valid[w] | ~(w == fl_bitmap_words(count) - 1 ? fl_bitmap_tail(count) : ~0ull)) != ~0ull;
        if (!any_null)
            vecs[c].valid = NULL;
    }
    fl_batch batch = {.rows = count, .cols = node->n_cols, .vec = vecs, .kept = count};
    st = fl_push(node, to, worker, &batch, err);
cleanup:
    return st;
}

/* Of groups on the disk that are in no order. */
static bool has_piles(const aggregate_stage *stage)
{
    return stage->is_spilled && !stage->is_sorted && stage->n_keys > 0;
}

static fl_status run(fl_source *base, fl_worker *worker, void *local, fl_stage *to, bool *ret_any, fl_err *err)
{
    (void)local;
    fl_status st = FL_OK;
    aggregate_source *source = (aggregate_source *)base;
    int32_t rows_max = worker->exec->context.session->vector_rows;
    if (source->stage->is_spilled && source->stage->is_sorted)
        return fl_aggregate_run_pages(source, worker, to, ret_any, err);
    if (has_piles(source->stage))
        return fl_aggregate_run_spilled(source, worker, to, ret_any, err);
    if (source->groups.n_tables <= 1) { /* a morsel is some batches of the one table */
        int64_t step = (int64_t)rows_max * 8, start = atomic_fetch_add(&source->next_row, step);
        worker->morsel = start / step;
        *ret_any = start < source->n_rows[0];
        for (int64_t at = start; at < source->n_rows[0] && at < start + step; at += rows_max) {
            int64_t end = at + rows_max < source->n_rows[0] ? at + rows_max : source->n_rows[0];
            FL_TRY(fl_aggregate_emit(source, worker, to, source->rows[0] + at, (int32_t)(end - at), err));
        }
        return FL_OK;
    }
    int32_t t = atomic_fetch_add(&source->next_table, 1);
    worker->morsel = t;
    *ret_any = t < source->groups.n_tables;
    for (int64_t at = 0; *ret_any && at < source->n_rows[t]; at += rows_max) {
        int64_t end = at + rows_max < source->n_rows[t] ? at + rows_max : source->n_rows[t];
        FL_TRY(fl_aggregate_emit(source, worker, to, source->rows[t] + at, (int32_t)(end - at), err));
    }
cleanup:
    return st;
}

static void source_free(fl_source *base)
{
    fl_group_result_drop(&((aggregate_source *)base)->groups);
}

static bool has_morsel(fl_source *base)
{
    aggregate_stage *stage = ((aggregate_source *)base)->stage;
    return !has_piles(stage) || fl_group_piles_has_morsel(&stage->piles);
}

static bool has_large_morsels(const fl_source *base)
{
    const aggregate_source *source = (const aggregate_source *)base;
    return source->groups.n_tables > 1 || source->stage->is_spilled;
}

static const fl_source_ops source_ops = {
    .run = run, .has_morsel = has_morsel, .has_large_morsels = has_large_morsels, .free = source_free};

/* ---- building ----------------------------------------------------------------------------------------------------- */

static fl_status plan_part(fl_exec *exec, aggregate_stage *stage, int32_t a, const fl_aggregate_attrs *attrs,
                           const fl_expr **exprs, int32_t *n_exprs, fl_err *err)
{
    fl_status st = FL_OK;
    agg_part *part = &stage->parts[a];
    const fl_agg *agg = &attrs->aggs[a];
    fl_type *types = NULL;
    int32_t n = 0;
    part->agg = agg;
    part->run = exec->number;
    part->tally = exec->context.session->tally;
    part->feed = fl_aggregate_is_direct(agg)                    ? FEED_DIRECT
                 : agg->agg->ignores_order && agg->n_order == 0 ? FEED_DISTINCT
                                                                : FEED_ORDERED;
    FL_ASSERT(part->feed == FEED_DIRECT || !stage->is_sorted);
    part->filter = -1;
    if (agg->n_order > FL_LEN(part->order))
        return FL_FAIL(err, FL_ERR_LIMIT, "%s is ordered by more than %d keys", agg->agg->name,
                       (int)FL_LEN(part->order));
    for (int32_t i = 0; i < agg->n_args; i++) {
        part->args[i] = *n_exprs;
        part->arg_types[i] = agg->args[i]->type;
        exprs[(*n_exprs)++] = agg->args[i];
    }
    if (agg->filter != NULL) {
        part->filter = *n_exprs;
        exprs[(*n_exprs)++] = agg->filter;
    }
    for (int32_t i = 0; i < agg->n_order; i++) {
        part->order[i] = *n_exprs;
        exprs[(*n_exprs)++] = agg->order[i].expr;
    }
    stage->n_collected += part->feed != FEED_DIRECT;
    stage->n_masked += agg->kernel->is_masked && agg->filter == NULL && part->feed == FEED_DIRECT;
    FL_ASSERT(agg->kernel->state_kind == FL_STATE_PLAIN || agg->kernel->state_kind == FL_STATE_SAVED ||
              (agg->kernel->state_kind == FL_STATE_LATE && part->feed == FEED_ORDERED));
    part->kind = -1;
    part->offset = stage->state_bytes;
    stage->state_bytes += (agg->kernel->state_bytes + 7) & ~7;
    if (part->feed == FEED_DIRECT)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, stage->n_keys + agg->n_args + agg->n_order + 1, &types, err));
    for (int32_t k = 0; k < stage->n_keys; k++)
        types[n++] = attrs->keys[k]->type;
    for (int32_t i = 0; i < agg->n_args; i++)
        types[n++] = agg->args[i]->type;
    for (int32_t i = 0; i < agg->n_order; i++)
        types[n++] = agg->order[i].expr->type;
    if (part->feed == FEED_ORDERED)
        types[n++] = SEQUENCE_TYPE;
    part->n_side = n;
    st = fl_row_layout_init(&part->side, &exec->arena, types, n, 0, err);
cleanup:
    return st;
}

/* The keys' ranges for an index: of perfect hashing alone. */
static fl_status plan_ranges(fl_exec *exec, aggregate_stage *stage, const fl_node *node, fl_err *err)
{
    fl_status st = FL_OK;
    fl_bounds *bounds = NULL;
    if (fl_trait_get(node->traits, &fl_trait_implementation) != FL_IMPL_PERFECT_HASH)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, stage->n_keys, &bounds, err));
    if (!fl_aggregate_has_places(exec->plan, node, bounds))
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, stage->n_keys, &stage->ranges, err));
    for (int32_t k = 0; k < stage->n_keys; k++)
        if (bounds[k].is_known)
            stage->ranges[k] = (fl_key_range){(int64_t)bounds[k].low, (int64_t)(bounds[k].high - bounds[k].low) + 1};
cleanup:
    return st;
}

static fl_status build(fl_exec *exec, const fl_node *node, fl_stage *next, fl_err *err)
{
    fl_status st = FL_OK;
    aggregate_stage *stage = NULL;
    aggregate_source *source = NULL;
    const fl_aggregate_attrs *attrs = fl_aggregate_of(node);
    const fl_expr **exprs = NULL;
    fl_type *types = NULL;
    fl_index_map keys, results;
    int32_t n_exprs = 0, n_all = attrs->n_keys;
    for (int32_t a = 0; a < attrs->n_aggs; a++)
        n_all += attrs->aggs[a].n_args + attrs->aggs[a].n_order + 1;
    FL_TRY(fl_exec_add_stage(exec, &stage_ops, (int64_t)sizeof(*stage), node, NULL, &stage, err));
    fl_arena_init(&stage->heap, exec->context.memory);
    stage->exec = exec;
    FL_TRY(fl_exec_add_source(exec, &source_ops, (int64_t)sizeof(*source), node, &source, err));
    source->stage = stage;
    stage->result = source;
    stage->n_keys = attrs->n_keys;
    stage->n_parts = attrs->n_aggs;
    int32_t implementation = fl_trait_get(node->traits, &fl_trait_implementation);
    stage->is_sorted = implementation == FL_IMPL_SORTED || implementation == FL_IMPL_PARTLY_SORTED;
    stage->n_ordered = attrs->n_order;
    FL_ASSERT(!stage->is_sorted || attrs->n_order > 0);
    for (int32_t i = 0; i < attrs->n_order && implementation == FL_IMPL_PARTLY_SORTED; i++)
        FL_ASSERT(attrs->order[i].expr == attrs->keys[i]); /* the row's first columns */
    FL_TRY(plan_ranges(exec, stage, node, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n_all + 1, &exprs, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, attrs->n_keys + 1, &types, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, attrs->n_aggs + 1, &stage->parts, err));
    for (int32_t k = 0; k < attrs->n_keys; k++) {
        exprs[n_exprs++] = attrs->keys[k];
        types[k] = attrs->keys[k]->type;
    }
    for (int32_t a = 0; a < attrs->n_aggs; a++)
        FL_TRY(plan_part(exec, stage, a, attrs, exprs, &n_exprs, err));
    FL_TRY(fl_row_layout_init(&stage->layout, &exec->arena, types, attrs->n_keys, stage->state_bytes, err));
    for (int32_t a = 0; a < attrs->n_aggs; a++)
        stage->parts[a].offset += stage->layout.extra_offset;
    FL_TRY(fl_aggregate_plan_spill(stage, err));
    FL_TRY(fl_program_new(&exec->arena, exec->plan, exec->context.session, exprs, n_exprs, node->inputs[0]->cols,
                          node->inputs[0]->n_cols, &stage->program, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, node->n_cols + 1, &source->from, err));
    FL_TRY(fl_exec_col_places(exec, attrs->cols, attrs->n_cols, &keys, err));
    fl_index_map_init(&results, &exec->arena);
    for (int32_t a = 0; a < attrs->n_aggs; a++)
        FL_TRY(fl_index_map_add(&results, (uint64_t)attrs->aggs[a].out.n, a, err));
    for (int32_t c = 0; c < node->n_cols; c++) {
        int32_t a = fl_index_map_find(&results, (uint64_t)node->cols[c].n);
        source->from[c] = a >= 0 ? -1 - a : fl_index_map_find(&keys, (uint64_t)node->cols[c].n);
    }
    FL_TRY(fl_exec_build(exec, node->inputs[0], &stage->base, err));
    FL_TRY(fl_exec_add_finish(exec, &stage->base, err));
    FL_TRY(fl_exec_wait_for(exec, &source->base.waits, &stage->base, err));
    st = fl_exec_add_pipeline(exec, &source->base, next, err);
cleanup:
    return st;
}

const fl_op_exec fl_aggregate_exec = {.build = build};
