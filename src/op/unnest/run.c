/* unnest: elements are gathered from the lists' child vectors, the other columns from the batch, a batch of pairs at a time.
 *
 * Elements that lie one behind the other, as those of one long list do, are a slice of the child: nothing is copied. */
#include "exec/exec.h"
#include "op/unnest/node.h"

typedef struct unnest_stage {
    fl_stage base;
    int32_t *lists; /* position of each list in the input */
    int32_t *from;  /* per output column: position in the input; -1 - i: elements of list i; FROM_NUMBER */
} unnest_stage;

#define FROM_NUMBER INT32_MIN

/* Pairs of a row of the batch and its elements, not yet passed on. */
typedef struct unnest_local {
    int32_t count;
    int32_t capacity;
    uint16_t *rows;   /* [capacity] of the batch */
    int32_t *items;   /* [lists][capacity] of the list's child; -1: none */
    int64_t *numbers; /* [capacity] of the element in its list; 0: none */
    fl_vec *lists;    /* [lists] of the batch, flat */
} unnest_local;

static void local_free(fl_stage *base, void *raw)
{
    (void)base;
    unnest_local *local = raw;
    if (local == NULL)
        return;
    fl_free(local->rows);
    fl_free(local->items);
    fl_free(local->numbers);
    fl_free(local->lists);
    fl_free(local);
}

static fl_status local_new(fl_stage *base, fl_worker *worker, void **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_memory *memory = worker->exec->context.memory;
    int64_t capacity = worker->exec->context.session->vector_rows, n_lists = fl_unnest_of(base->node)->n_lists;
    unnest_local *local = NULL;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*local), (void **)&local, err));
    local->capacity = (int32_t)capacity;
    FL_TRY(fl_alloc(memory, capacity * (int64_t)sizeof(*local->rows), (void **)&local->rows, err));
    FL_TRY(fl_alloc(memory, n_lists * capacity * (int64_t)sizeof(*local->items), (void **)&local->items, err));
    FL_TRY(fl_alloc(memory, capacity * (int64_t)sizeof(*local->numbers), (void **)&local->numbers, err));
    FL_TRY(fl_alloc(memory, n_lists * (int64_t)sizeof(*local->lists), (void **)&local->lists, err));
    *ret = local;
cleanup:
    if (st != FL_OK)
        local_free(base, local);
    return st;
}

/* ---- columns of pairs ---------------------------------------------------------------------------------------------- */

static bool is_run(const int32_t *items, int32_t count)
{
    if (items[0] < 0)
        return false;
    for (int32_t i = 1; i < count; i++)
        if (items[i] != items[0] + i)
            return false;
    return true;
}

static fl_status element_column(const fl_vec *list, const int32_t *items, int32_t count, fl_arena *arena, fl_vec *ret,
                                fl_err *err)
{
    fl_status st = FL_OK;
    fl_type element = list->type.fields[0].type;
    const fl_value **none = NULL;
    if (list->child != NULL && list->child_rows > 0)
        return is_run(items, count) ? fl_vec_slice(arena, list->child, items[0], count, ret, err)
                                    : fl_vec_gather32(arena, list->child, items, count, ret, err);
    FL_TRY(FL_NEW_ARRAY(arena, count, &none, err)); /* there is no element in the whole batch */
    st = fl_vec_from_values(arena, element, none, count, ret, err);
cleanup:
    return st;
}

static fl_status number_column(const int64_t *numbers, int32_t count, fl_arena *arena, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t *valid = NULL;
    FL_TRY(fl_arena_get(arena, fl_bitmap_words(count) * 8 + 8, (void **)&valid, err));
    fl_bitmap_fill(valid, count, true);
    for (int32_t i = 0; i < count; i++)
        if (numbers[i] == 0)
            fl_bit_clear(valid, i);
    fl_vec_set_flat(ret, FL_TYPE(FL_I64), numbers, valid);
cleanup:
    return st;
}

/* Passes on the pairs so far. What that took of the worker's arena is given back, since one batch may have very many. */
static fl_status flush_pairs(unnest_stage *stage, fl_worker *worker, unnest_local *local, const fl_batch *batch,
                             fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *node = stage->base.node;
    fl_arena_mark mark = fl_arena_mark_get(&worker->arena);
    fl_vec *vecs = NULL;
    if (local->count == 0)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(&worker->arena, node->n_cols + 1, &vecs, err));
    for (int32_t c = 0; c < node->n_cols; c++) {
        int32_t from = stage->from[c];
        if (from >= 0) {
            FL_TRY(fl_vec_gather(&worker->arena, &batch->vec[from], local->rows, local->count, &vecs[c], err));
        } else if (from == FROM_NUMBER) {
            FL_TRY(number_column(local->numbers, local->count, &worker->arena, &vecs[c], err));
        } else {
            int64_t i = -1 - from;
            FL_TRY(element_column(&local->lists[i], local->items + i * local->capacity, local->count, &worker->arena,
                                  &vecs[c], err));
        }
    }
    fl_batch out = {.rows = local->count, .cols = node->n_cols, .vec = vecs, .kept = local->count};
    local->count = 0;
    st = fl_push(node, stage->base.next, worker, &out, err);
cleanup:
    fl_arena_rewind(&worker->arena, mark);
    return st;
}

/* ---- rows to pairs ------------------------------------------------------------------------------------------------- */

static fl_list_entry entry_of(const fl_vec *list, int32_t row)
{
    return fl_is_valid(list->valid, row) ? ((const fl_list_entry *)list->data)[row] : (fl_list_entry){0};
}

static fl_status expand_row(unnest_stage *stage, fl_worker *worker, unnest_local *local, const fl_batch *batch,
                            int32_t row, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_unnest_attrs *unnest = fl_unnest_of(stage->base.node);
    int32_t longest = 0;
    for (int32_t i = 0; i < unnest->n_lists; i++) {
        int32_t len = entry_of(&local->lists[i], row).len;
        longest = len > longest ? len : longest;
    }
    bool is_padded = longest == 0 && unnest->keeps_all;
    FL_ASSERT(longest >= 0 && local->count <= local->capacity);
    for (int32_t done = 0, n; done < longest + is_padded; done += n) {
        if (local->count == local->capacity)
            FL_TRY(flush_pairs(stage, worker, local, batch, err));
        int32_t at = local->count, left = longest + is_padded - done, room = local->capacity - at;
        n = left < room ? left : room;
        for (int32_t k = 0; k < n; k++) {
            local->rows[at + k] = (uint16_t)row;
            local->numbers[at + k] = is_padded ? 0 : done + k + 1;
        }
        for (int32_t i = 0; i < unnest->n_lists; i++) {
            fl_list_entry entry = entry_of(&local->lists[i], row);
            int32_t *items = local->items + (int64_t)i * local->capacity + at;
            for (int32_t k = 0; k < n; k++)
                items[k] = done + k < entry.len ? entry.start + done + k : -1;
        }
        local->count += n;
    }
cleanup:
    return st;
}

static fl_status push(fl_stage *base, fl_worker *worker, void *raw, fl_batch *batch, fl_err *err)
{
    fl_status st = FL_OK;
    unnest_stage *stage = (unnest_stage *)base;
    unnest_local *local = raw;
    for (int32_t i = 0; i < fl_unnest_of(base->node)->n_lists; i++)
        FL_TRY(fl_vec_flatten(&worker->arena, &batch->vec[stage->lists[i]], batch->rows, &local->lists[i], err));
    for (int32_t row = 0; row < batch->rows; row++)
        if (batch->mask == NULL || fl_bit_get(batch->mask, row))
            FL_TRY(expand_row(stage, worker, local, batch, row, err));
    st = flush_pairs(stage, worker, local, batch, err); /* pairs name rows of this batch */
cleanup:
    return st;
}

static const fl_stage_ops stage_ops = {.local_new = local_new, .push = push, .local_free = local_free};

static fl_status build(fl_exec *exec, const fl_node *node, fl_stage *next, fl_err *err)
{
    fl_status st = FL_OK;
    unnest_stage *stage = NULL;
    const fl_unnest_attrs *unnest = fl_unnest_of(node);
    const fl_node *input = node->inputs[0];
    fl_index_map places;
    FL_TRY(fl_exec_add_stage(exec, &stage_ops, (int64_t)sizeof(*stage), node, next, &stage, err));
    stage->base.multiplies = true;
    FL_TRY(fl_exec_col_map(exec, unnest->lists, unnest->n_lists, input, &stage->lists, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, node->n_cols + 1, &stage->from, err));
    FL_TRY(fl_exec_col_places(exec, input->cols, input->n_cols, &places, err));
    for (int32_t c = 0; c < node->n_cols; c++) {
        stage->from[c] = fl_index_map_find(&places, (uint64_t)node->cols[c].n);
        if (fl_col_is_equal(node->cols[c], unnest->ordinality))
            stage->from[c] = FROM_NUMBER;
        for (int32_t i = 0; i < unnest->n_cols; i++)
            if (fl_col_is_equal(node->cols[c], unnest->cols[i]))
                stage->from[c] = -1 - i;
    }
    st = fl_exec_build(exec, input, &stage->base, err);
cleanup:
    return st;
}

const fl_op_exec fl_unnest_exec = {.build = build};
