/* set_op: UNION ALL passes both inputs on. INTERSECT and EXCEPT count each distinct row's occurrences on both sides in one
 * group table and put it out as often as the operation says. (UNION without ALL is rewritten by its lowering rule.)
 *
 * Where memory is short the table's rows go to partitions with the counts that they have by then, which add up when they come back.
 * Rows of the right that the left does not have are not kept as long as the table is whole; afterwards nobody knows. */
#include "op/set_op/node.h"

#include "exec/exec.h"
#include "exec/group_table.h"
#include "exec/spilled_groups.h"

#include <pthread.h>

/* A stage that puts an input's columns in the order of the result. */
typedef struct map_stage {
    fl_stage base;
    const fl_node *node;
    int32_t *from;
} map_stage;

typedef struct set_counts {
    int64_t left;
    int64_t right;
} set_counts;

typedef struct set_state {
    fl_exec *exec;
    const fl_node *node;
    fl_row_layout layout;
    fl_group_table table;
    bool has_table;
    pthread_mutex_t lock; /* the table is shared: counting is a small part of these queries */
    int32_t n_cols;
    fl_spill_holder holder;
    fl_group_kinds kinds;
    const fl_row_layout *layouts[1];
    fl_group_parts spilled; /* guarded by the lock */
    fl_group_piles piles;
} set_state;

typedef struct count_stage {
    fl_stage base;
    set_state *state;
    bool is_right;
    int32_t *from;
} count_stage;

typedef struct set_source {
    fl_source base;
    set_state *state;
    _Atomic bool is_taken; /* the table, by the worker who puts it out */
} set_source;

static fl_status map_push(fl_stage *base, fl_worker *worker, void *local, fl_batch *batch, fl_err *err)
{
    (void)local;
    map_stage *stage = (map_stage *)base;
    fl_vec *vecs = NULL;
    fl_status st = FL_NEW_ARRAY(&worker->arena, stage->node->n_cols + 1, &vecs, err);
    if (st != FL_OK)
        return st;
    for (int32_t c = 0; c < stage->node->n_cols; c++)
        vecs[c] = batch->vec[stage->from[c]];
    fl_batch out = *batch;
    out.cols = stage->node->n_cols;
    out.vec = vecs;
    return fl_push(stage->node, base->next, worker, &out, err);
}

static const fl_stage_ops map_ops = {.what = "the set operation", .push = map_push};

/* Writes the table away. The lock is held. */
static fl_status spill(set_state *state, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(fl_group_parts_divide(&state->kinds, &state->spilled, 0, &state->table.store, true, err));
    fl_group_table_drop(&state->table);
    fl_memory_trim();
    st = fl_group_table_init(&state->table, &state->layout, state->n_cols, state->exec->context.session->vector_rows,
                             state->exec->context.memory, err);
cleanup:
    return st;
}

/* fl_group_combine: the counts of a row. */
static fl_status add_counts(void *ctx, uint8_t *into, const uint8_t *row, fl_arena *heap, fl_err *err)
{
    (void)heap;
    (void)err;
    int32_t at = ((const set_state *)ctx)->layout.extra_offset;
    set_counts *counts = (set_counts *)(into + at);
    const set_counts *more = (const set_counts *)(row + at);
    counts->left += more->left;
    counts->right += more->right;
    return FL_OK;
}

static fl_status count_push(fl_stage *base, fl_worker *worker, void *local, fl_batch *batch, fl_err *err)
{
    (void)local;
    fl_status st = FL_OK;
    count_stage *stage = (count_stage *)base;
    set_state *state = stage->state;
    fl_vec *vecs = NULL;
    uint16_t *list = NULL;
    uint64_t *hashes = NULL;
    uint8_t **rows = NULL;
    int32_t count = 0;
    bool locked = false;
    FL_TRY(FL_NEW_ARRAY(&worker->arena, state->n_cols + 1, &vecs, err));
    FL_TRY(fl_arena_get(&worker->arena, batch->rows * 2 + 64, (void **)&list, err));
    FL_TRY(fl_arena_get(&worker->arena, batch->rows * 8 + 64, (void **)&hashes, err));
    FL_TRY(fl_arena_get(&worker->arena, batch->rows * 8 + 64, (void **)&rows, err));
    for (int32_t c = 0; c < state->n_cols; c++)
        vecs[c] = batch->vec[stage->from[c]];
    if (batch->mask != NULL)
        count = fl_bitmap_to_list(batch->mask, batch->rows, list);
    else
        for (; count < batch->rows; count++)
            list[count] = (uint16_t)count;
    fl_rows_hash(vecs, state->n_cols, list, count, worker->exec->context.session->seed, hashes);
    pthread_mutex_lock(&state->lock);
    locked = true;
    if (fl_spill_is_due(state->exec, &state->holder, fl_group_table_bytes(&state->table)))
        FL_TRY(spill(state, err));
    int64_t known = state->table.store.rows;
    bool inserts = !stage->is_right || state->spilled.rows != NULL;
    st = fl_group_table_find_hashed(&state->table, vecs, list, count, hashes, inserts, rows, err);
    if (st == FL_ERR_MEMORY && known > 0 && state->table.store.rows == known &&
        fl_spill_is_possible(state->exec)) { /* no row was made */
        FL_TRY(spill(state, err));
        st = fl_group_table_find_hashed(&state->table, vecs, list, count, hashes, true, rows, err);
    }
    FL_TRY(st);
    for (int32_t i = 0; i < count; i++) {
        if (rows[i] == NULL)
            continue;
        set_counts *counts = (set_counts *)(rows[i] + state->layout.extra_offset);
        if (stage->is_right)
            counts->right++;
        else
            counts->left++;
    }
cleanup:
    if (locked)
        pthread_mutex_unlock(&state->lock);
    return st;
}

/* The right side ends: what is left goes where the rest is. */
static fl_status count_finish(fl_stage *base, void *const *locals, int32_t n_locals, fl_err *err)
{
    (void)locals;
    (void)n_locals;
    fl_status st = FL_OK;
    count_stage *stage = (count_stage *)base;
    set_state *state = stage->state;
    if (!stage->is_right)
        return FL_OK;
    fl_spill_ended(&state->holder);
    if (state->spilled.rows == NULL)
        return FL_OK;
    FL_TRY(spill(state, err));
    fl_spill_count(state->exec->finisher, state->node, state->spilled.bytes, 0);
    st = fl_group_piles_add(&state->piles, &state->spilled, err);
cleanup:
    return st;
}

static const fl_stage_ops count_ops = {.what = "the set operation", .push = count_push, .finish = count_finish};

static int64_t times(const fl_set_op_attrs *attrs, const set_counts *c)
{
    if (attrs->kind == FL_INTERSECT)
        return attrs->is_all ? (c->left < c->right ? c->left : c->right) : c->left > 0 && c->right > 0;
    return attrs->is_all ? (c->left > c->right ? c->left - c->right : 0) : c->left > 0 && c->right == 0;
}

static fl_status emit(set_state *state, fl_worker *worker, fl_stage *to, uint8_t **rows, int32_t count, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_set_op_attrs *attrs = fl_set_op_of(state->node);
    fl_vec *vecs = NULL;
    fl_arena_reset(&worker->arena);
    FL_TRY(FL_NEW_ARRAY(&worker->arena, state->node->n_cols + 1, &vecs, err));
    for (int32_t c = 0; c < state->node->n_cols; c++)
        for (int32_t i = 0; i < attrs->n_cols; i++)
            if (attrs->cols[i].n == state->node->cols[c].n)
                FL_TRY(fl_rows_read(&state->layout, i, rows, count, &worker->arena, &vecs[c], err));
    fl_batch batch = {.rows = count, .cols = state->node->n_cols, .vec = vecs, .kept = count};
    st = fl_push(state->node, to, worker, &batch, err);
cleanup:
    return st;
}

/* Rows by their counts: each as often as the operation says. */
typedef struct putting_out {
    set_state *state;
    fl_stage *to;
    uint8_t **rows; /* those of a batch */
    int32_t n;
} putting_out;

static fl_status put_out(putting_out *out, fl_worker *worker, uint8_t *row, fl_err *err)
{
    int32_t rows_max = worker->exec->context.session->vector_rows;
    FL_ASSERT(out->n < rows_max);
    const set_counts *counts = (const set_counts *)(row + out->state->layout.extra_offset);
    for (int64_t n = times(fl_set_op_of(out->state->node), counts); n > 0; n--) {
        out->rows[out->n++] = row;
        if (out->n < rows_max)
            continue;
        fl_status st = emit(out->state, worker, out->to, out->rows, out->n, err);
        if (st != FL_OK)
            return st;
        out->n = 0;
    }
    return FL_OK;
}

/* fl_group_pile_ops.emit */
static fl_status emit_pile(void *ctx, fl_worker *worker, uint8_t **rows, int32_t count, fl_err *err)
{
    fl_status st = FL_OK;
    putting_out *out = ctx;
    for (int32_t i = 0; i < count; i++)
        FL_TRY(put_out(out, worker, rows[i], err));
    if (out->n > 0) /* the rows go when this is done */
        st = emit(out->state, worker, out->to, out->rows, out->n, err);
    out->n = 0;
cleanup:
    return st;
}

static const fl_group_pile_ops pile_ops = {.emit = emit_pile};

static fl_status run(fl_source *base, fl_worker *worker, void *local, fl_stage *to, bool *ret_any, fl_err *err)
{
    (void)local;
    fl_status st = FL_OK;
    set_source *source = (set_source *)base;
    set_state *state = source->state;
    FL_ASSERT(state->spilled.rows == NULL || state->table.store.rows == 0); /* all or none of the rows left memory */
    putting_out out = {.state = state, .to = to};
    bool is_spilled = state->spilled.rows != NULL;
    *ret_any = is_spilled || !atomic_exchange(&source->is_taken, true);
    if (!*ret_any)
        return FL_OK;
    FL_TRY(fl_alloc(worker->exec->context.memory, worker->exec->context.session->vector_rows * 8 + 8,
                    (void **)&out.rows, err));
    if (is_spilled) {
        FL_TRY(fl_group_piles_run(&state->piles, worker, &out, ret_any, err));
    } else {
        for (fl_row_block *b = state->table.store.first; b != NULL; b = b->next)
            for (int32_t i = 0; i < b->rows; i++)
                FL_TRY(put_out(&out, worker, b->data + (int64_t)i * state->layout.bytes, err));
        if (out.n > 0)
            st = emit(state, worker, to, out.rows, out.n, err);
    }
cleanup:
    fl_free(out.rows);
    return st;
}

static void source_free(fl_source *base)
{
    set_state *state = ((set_source *)base)->state;
    if (state == NULL)
        return;
    if (state->has_table)
        fl_group_table_drop(&state->table);
    fl_group_parts_drop(&state->kinds, &state->spilled);
    fl_group_piles_drop(&state->piles);
    pthread_mutex_destroy(&state->lock);
}

static bool has_morsel(fl_source *base)
{
    set_state *state = ((set_source *)base)->state;
    return state->spilled.rows == NULL || fl_group_piles_has_morsel(&state->piles);
}

/* It is the whole table, and with ALL a row comes as often as its count says. */
static bool has_large_morsels(const fl_source *base)
{
    (void)base;
    return true;
}

static const fl_source_ops source_ops = {
    .run = run, .has_morsel = has_morsel, .has_large_morsels = has_large_morsels, .free = source_free};

static fl_status build_union(fl_exec *exec, const fl_node *node, fl_stage *next, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_set_op_attrs *attrs = fl_set_op_of(node);
    fl_index_map places, results;
    for (int32_t side = 0; side < 2; side++) {
        map_stage *stage = NULL;
        const fl_col_id *cols = side == 0 ? attrs->left : attrs->right;
        FL_TRY(fl_exec_add_stage(exec, &map_ops, (int64_t)sizeof(*stage), NULL, next, &stage, err));
        stage->node = node;
        const fl_node *input = node->inputs[side];
        FL_TRY(FL_NEW_ARRAY(&exec->arena, node->n_cols + 1, &stage->from, err));
        FL_TRY(fl_exec_col_places(exec, input->cols, input->n_cols, &places, err));
        FL_TRY(fl_exec_col_places(exec, attrs->cols, attrs->n_cols, &results, err));
        for (int32_t c = 0; c < node->n_cols; c++) {
            int32_t i = fl_index_map_find(&results, (uint64_t)node->cols[c].n);
            FL_ASSERT(i >= 0);
            stage->from[c] = fl_index_map_find(&places, (uint64_t)cols[i].n);
        }
        FL_TRY(fl_exec_build(exec, node->inputs[side], &stage->base, err));
    }
cleanup:
    return st;
}

static fl_status build(fl_exec *exec, const fl_node *node, fl_stage *next, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_set_op_attrs *attrs = fl_set_op_of(node);
    set_state *state = NULL;
    set_source *source = NULL;
    fl_type *types = NULL;
    fl_stage *stages[2] = {NULL, NULL};
    if (attrs->kind == FL_UNION)
        return build_union(exec, node, next, err);
    FL_TRY(FL_NEW(&exec->arena, &state, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, attrs->n_cols + 1, &types, err));
    for (int32_t i = 0; i < attrs->n_cols; i++)
        types[i] = fl_plan_col(exec->plan, attrs->cols[i])->type;
    state->exec = exec;
    state->node = node;
    state->n_cols = attrs->n_cols;
    FL_TRY(fl_row_layout_init(&state->layout, &exec->arena, types, attrs->n_cols, (int32_t)sizeof(set_counts), err));
    FL_TRY(fl_exec_add_source(exec, &source_ops, (int64_t)sizeof(*source), node, &source, err));
    pthread_mutex_init(&state->lock, NULL);
    state->layouts[0] = &state->layout;
    state->kinds = (fl_group_kinds){.exec = exec,
                                    .node = node,
                                    .n_kinds = 1,
                                    .n_keys = attrs->n_cols,
                                    .layouts = state->layouts,
                                    .combine = add_counts,
                                    .ctx = state};
    fl_group_piles_init(&state->piles, &state->kinds, &pile_ops);
    source->state = state;
    FL_TRY(fl_group_table_init(&state->table, &state->layout, attrs->n_cols, exec->context.session->vector_rows,
                               exec->context.memory, err));
    state->has_table = true;
    fl_spill_register(exec, &state->holder);
    for (int32_t side = 0; side < 2; side++) {
        count_stage *stage = NULL;
        FL_TRY(fl_exec_add_stage(exec, &count_ops, (int64_t)sizeof(*stage), node, NULL, &stage, err));
        stage->state = state;
        stage->is_right = side == 1;
        FL_TRY(fl_exec_col_map(exec, side == 0 ? attrs->left : attrs->right, attrs->n_cols, node->inputs[side],
                               &stage->from, err));
        if (stages[0] != NULL) /* occurrences on the right are counted of rows that are known */
            FL_TRY(fl_exec_wait_for(exec, &stage->base.waits, stages[0], err));
        FL_TRY(fl_exec_build(exec, node->inputs[side], &stage->base, err));
        FL_TRY(fl_exec_add_finish(exec, &stage->base, err));
        stages[side] = &stage->base;
    }
    FL_TRY(fl_exec_wait_for(exec, &source->base.waits, stages[1], err));
    st = fl_exec_add_pipeline(exec, &source->base, next, err);
cleanup:
    return st;
}

const fl_op_exec fl_set_op_exec = {.build = build};
