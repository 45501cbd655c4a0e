/* window: of which the first rows of each partition are wanted alone. What comes behind so many rows of its partition that a worker has
 * seen is dropped before it is sorted: of n rows in no order, which are many partitions' of k wanted ones, about k ln(n) stay.
 *
 * Rows are told by the order word of their first key (exec/order_words.h); those of the same word stay. Rows in which it is null stay, too.
 * Where little is dropped, or there is no memory for the partitions, all rows pass. */
#include "op/window/cut.h"

#include "arrow/vec_order.h"
#include "exec/group_table.h"
#include "exec/order_words.h"

#define SEEN_ROWS_MIN 65536   /* before it is asked whether it pays */
#define SEEN_ROWS_MAX 1000000 /* without a sign that it does */
#define ROWS_OF_PARTITION_MIN 4
#define KEPT_PART_MAX 0.5

typedef struct cut_stage {
    fl_stage base;
    fl_program *program; /* partition keys, order key */
    int32_t n_keys;
    int32_t limit;
    bool is_descending;
    fl_row_layout layout; /* keys; behind them how many words there are, and these, ascending */
} cut_stage;

typedef struct cut_local {
    fl_eval *eval;
    fl_group_table table;
    bool is_off;
    int64_t n_seen, n_kept;
    fl_vec *keys;
    uint16_t *list;
    uint8_t **rows;
    uint64_t *words;
} cut_local;

static fl_status local_new(fl_stage *base, fl_worker *worker, void **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const cut_stage *stage = (const cut_stage *)base;
    fl_memory *memory = worker->exec->context.memory;
    int32_t rows = worker->exec->context.session->vector_rows;
    cut_local *local = NULL;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*local), (void **)&local, err));
    *ret = local;
    FL_TRY(fl_eval_new(stage->program, memory, rows, &local->eval, err));
    FL_TRY(fl_alloc_zero(memory, (stage->n_keys + 1) * (int64_t)sizeof(fl_vec), (void **)&local->keys, err));
    FL_TRY(fl_alloc(memory, rows * 2ll + 64, (void **)&local->list, err));
    FL_TRY(fl_alloc(memory, rows * 8ll + 64, (void **)&local->rows, err));
    FL_TRY(fl_alloc(memory, rows * 8ll + 64, (void **)&local->words, err));
    st = fl_group_table_init(&local->table, &stage->layout, stage->n_keys, rows, memory, err);
cleanup:
    return st;
}

static void local_free(fl_stage *base, void *ptr)
{
    (void)base;
    cut_local *local = ptr;
    fl_eval_free(local->eval);
    if (local->table.store.layout != NULL)
        fl_group_table_drop(&local->table);
    fl_free(local->keys);
    fl_free(local->list);
    fl_free(local->rows);
    fl_free(local->words);
    fl_free(local);
}

static void give_up(cut_local *local)
{
    fl_group_table_drop(&local->table);
    local->table.store.layout = NULL;
    local->is_off = true;
}

/* Whether the row may be one of the first; its word is noted if it is. */
static bool may_be_first(const cut_stage *stage, uint8_t *row, uint64_t word)
{
    uint64_t *n = (uint64_t *)(row + stage->layout.extra_offset), *words = n + 1;
    int64_t at = (int64_t)*n;
    if (at == stage->limit) {
        if (word >= words[at - 1])
            return word == words[at - 1];
        at--;
    } else {
        ++*n;
    }
    for (; at > 0 && words[at - 1] > word; at--)
        words[at] = words[at - 1];
    words[at] = word;
    return true;
}

/* Takes rows out of the mask. */
static fl_status cut(const cut_stage *stage, cut_local *local, const fl_batch *batch, fl_arena *arena, uint64_t *mask,
                     int32_t *kept, fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec order, flat;
    int32_t n = 0;
    fl_eval_begin(local->eval, batch, arena);
    for (int32_t k = 0; k < stage->n_keys; k++)
        FL_TRY(fl_eval_value(local->eval, k, batch->mask, &local->keys[k], err));
    FL_TRY(fl_eval_value(local->eval, stage->n_keys, batch->mask, &order, err));
    FL_TRY(fl_vec_flatten(arena, &order, batch->rows, &flat, err));
    for (int32_t row = 0; row < batch->rows; row++) {
        local->list[n] = (uint16_t)row;
        n += fl_is_valid(batch->mask, row) && fl_vec_is_valid(&flat, row);
    }
    if (n == 0)
        return FL_OK;
    FL_TRY(fl_group_table_find(&local->table, local->keys, local->list, n, 0, true, local->rows, err));
    fl_order_words(&flat, local->list, n, stage->is_descending, local->words);
    for (int32_t i = 0; i < n; i++)
        if (!may_be_first(stage, local->rows[i], local->words[i])) {
            fl_bit_clear(mask, local->list[i]);
            --*kept;
        }
cleanup:
    return st;
}

/* At first all rows stay, until partitions have as many as are wanted. */
static bool pays(const cut_stage *stage, const cut_local *local)
{
    int64_t n = local->table.store.rows;
    if (local->n_seen < SEEN_ROWS_MIN || local->n_seen < n * (stage->limit + 1) * ROWS_OF_PARTITION_MIN)
        return local->n_seen < SEEN_ROWS_MAX || n * ROWS_OF_PARTITION_MIN < local->n_seen;
    return (double)local->n_kept < (double)local->n_seen * KEPT_PART_MAX;
}

static fl_status push(fl_stage *base, fl_worker *worker, void *ptr, fl_batch *batch, fl_err *err)
{
    fl_status st = FL_OK;
    cut_stage *stage = (cut_stage *)base;
    cut_local *local = ptr;
    int64_t words = fl_bitmap_words(batch->rows);
    uint64_t *mask = NULL;
    fl_batch out = *batch;
    if (local->is_off)
        return fl_push(NULL, base->next, worker, batch, err);
    FL_TRY(fl_arena_get(&worker->arena, words * 8 + 8, (void **)&mask, err));
    if (batch->mask != NULL)
        memcpy(mask, batch->mask, (size_t)words * 8);
    else
        fl_bitmap_fill(mask, batch->rows, true);
    if (words > 0)
        mask[words - 1] &= fl_bitmap_tail(batch->rows);
    st = cut(stage, local, batch, &worker->arena, mask, &out.kept, err);
    if (st == FL_ERR_MEMORY) { /* the sink knows what to do without it */
        give_up(local);
        return fl_push(NULL, base->next, worker, batch, err);
    }
    FL_TRY(st);
    local->n_seen += batch->kept;
    local->n_kept += out.kept;
    if (!pays(stage, local))
        give_up(local);
    out.mask = mask;
    st = fl_push(NULL, base->next, worker, &out, err);
cleanup:
    return st;
}

static const fl_stage_ops stage_ops = {
    .what = "the first rows of partitions", .local_new = local_new, .push = push, .local_free = local_free};

bool fl_window_can_cut(const fl_node *node)
{
    const fl_window_attrs *window = fl_window_of(node);
    return node->rows * ROWS_OF_PARTITION_MIN < node->inputs[0]->rows && window->limit > 0 &&
           window->limit <= FL_WINDOW_CUT_MAX && window->n_partition > 0 && window->n_order > 0 &&
           fl_type_is_ordered(window->order[0].expr->type);
}

fl_status fl_window_build_cut(fl_exec *exec, const fl_node *node, fl_stage *next, fl_stage **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_window_attrs *window = fl_window_of(node);
    const fl_node *input = node->inputs[0];
    cut_stage *stage = NULL;
    const fl_expr **exprs = NULL;
    fl_type *types = NULL;
    FL_ASSERT(fl_window_can_cut(node));
    FL_TRY(fl_exec_add_stage(exec, &stage_ops, (int64_t)sizeof(*stage), NULL, next, &stage, err));
    stage->n_keys = window->n_partition;
    stage->limit = (int32_t)window->limit;
    stage->is_descending = window->order[0].is_descending;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, stage->n_keys + 1, &exprs, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, stage->n_keys + 1, &types, err));
    for (int32_t k = 0; k < stage->n_keys; k++) {
        exprs[k] = window->partition[k];
        types[k] = exprs[k]->type;
    }
    exprs[stage->n_keys] = window->order[0].expr;
    FL_TRY(fl_row_layout_init(&stage->layout, &exec->arena, types, stage->n_keys, 8 * (stage->limit + 1), err));
    FL_TRY(fl_program_new(&exec->arena, exec->plan, exec->context.session, exprs, stage->n_keys + 1, input->cols,
                          input->n_cols, &stage->program, err));
    *ret = &stage->base;
cleanup:
    return st;
}
