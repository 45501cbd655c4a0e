/* The merge join: both inputs come in the order of the keys, so partners are found by going along.
 *
 * The right input's rows are kept, in order (exec/stretches.h), and beside them the order word of their first key
 * (exec/order_words.h), side by side: most comparisons look at nothing else. The left input is not kept. Its batches come to
 * any worker, each in order in itself and behind the worker's last one; a worker leaps over the right rows that lie before the
 * next left key by doubling its steps, so it costs little to begin anywhere. Right rows of equal keys are gone over again for
 * each left row that has them; pairs are settled a batch at a time (op/join/pairs.h).
 *
 * Rows come out in the order of the left input, those of outer joins without a partner in their place.
 *
 * Rows that are not in the order that their source promised are an error, as far as first keys show it. */
#include "op/join/merge.h"

#include "exec/order_words.h"
#include "exec/stretches.h"
#include "op/join/pairs.h"

#define CHECK_ROWS 65536 /* a power of two: rows between looks whether the statement shall stop */

typedef struct merge_right {
    fl_stage base; /* the sink of the right side */
    fl_join_pairs pairs;
    bool words_decide; /* one key, whose word tells its value */
    bool is_in_place;  /* left rows without a partner are put out, between the others */
    const fl_sort_key *order;
    uint8_t **rows; /* in order; their first word is that of the first key, the words of others are in the extra room */
    uint64_t *words; /* of their first keys */
    int64_t n_rows;
    _Atomic bool is_disordered;
} merge_right;

typedef struct right_local {
    fl_eval *eval;
    fl_row_store store;
    fl_stretches stretches;
    uint16_t *list;
    uint64_t *words;
    uint8_t **rows;
    bool has_null_key;
} right_local;

typedef struct merge_left {
    fl_stage base;
    merge_right *right;
} merge_left;

typedef struct left_local {
    fl_pair_list pairs;
    uint16_t *list;  /* rows with usable keys */
    uint64_t *words; /* of the keys of the listed rows, a key behind the other */
    const fl_vec *keys;
    int64_t at;              /* right row: where the last left key's partners begin, or would */
    uint16_t *all;           /* is_in_place: all rows, */
    int32_t n_all, next_all; /* and the first one that is not put out yet */
    uint16_t *out_left;
    uint8_t **out_right;
    int32_t n_out;
} left_local;

/* Words are made of flat vectors. */
static fl_status flatten_key(fl_arena *arena, int32_t rows, fl_vec *key, fl_err *err)
{
    if (key->layout != FL_DICT || fl_type_is_string(key->type))
        return FL_OK;
    return fl_vec_flatten(arena, key, rows, key, err);
}

static fl_status fail_disordered(const merge_right *join, int32_t input, fl_err *err)
{
    return FL_FAIL(err, FL_ERR_INTERNAL, "rows of the operator %s, which a join merges, are not in their order",
                   join->pairs.node->inputs[input]->op->name);
}

/* ---- right side --------------------------------------------------------------------------------------------------- */

static fl_status right_local_new(fl_stage *base, fl_worker *worker, void **ret, fl_err *err)
{
    fl_status st = FL_OK;
    merge_right *join = (merge_right *)base;
    fl_memory *memory = worker->exec->context.memory;
    int32_t rows_max = worker->exec->context.session->vector_rows;
    right_local *local = NULL;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*local), (void **)&local, err));
    *ret = local;
    fl_row_store_init(&local->store, &join->pairs.layout, memory);
    FL_TRY(fl_eval_new(join->pairs.build_keys, memory, rows_max, &local->eval, err));
    FL_TRY(fl_alloc(memory, rows_max * 2 + 64, (void **)&local->list, err));
    FL_TRY(fl_alloc(memory, rows_max * 8 + 64, (void **)&local->words, err));
    FL_TRY(fl_alloc(memory, rows_max * 8 + 64, (void **)&local->rows, err));
cleanup:
    return st;
}

static void right_local_free(fl_stage *base, void *ptr)
{
    (void)base;
    right_local *local = ptr;
    fl_eval_free(local->eval);
    fl_row_store_drop(&local->store);
    fl_stretches_drop(&local->stretches);
    fl_free(local->list);
    fl_free(local->words);
    fl_free(local->rows);
    fl_free(local);
}

/* Where a kept row has the word of a key. */
static inline int32_t word_offset(const merge_right *join, int32_t k)
{
    return k == 0 ? 0 : join->pairs.layout.extra_offset + (k - 1) * 8;
}

static fl_status right_push(fl_stage *base, fl_worker *worker, void *ptr, fl_batch *batch, fl_err *err)
{
    fl_status st = FL_OK;
    merge_right *join = (merge_right *)base;
    right_local *local = ptr;
    int32_t n_keys = join->pairs.n_keys;
    fl_vec *keys = NULL;
    FL_TRY(FL_NEW_ARRAY(&worker->arena, n_keys, &keys, err));
    fl_eval_begin(local->eval, batch, &worker->arena);
    for (int32_t k = 0; k < n_keys; k++) {
        FL_TRY(fl_eval_value(local->eval, k, batch->mask, &keys[k], err));
        FL_TRY(flatten_key(&worker->arena, batch->rows, &keys[k], err));
    }
    int32_t all = fl_join_list_rows(batch, local->list);
    int32_t count = fl_join_drop_null_keys(&join->pairs, keys, local->list, all);
    local->has_null_key |= count < all;
    if (count == 0)
        return FL_OK;
    FL_TRY(fl_row_store_add(&local->store, count, local->rows, err));
    FL_TRY(fl_join_write_rows(&join->pairs, batch, keys, local->list, count, local->rows, &local->store.heap, err));
    for (int32_t k = 0; k < n_keys; k++) {
        int32_t at = word_offset(join, k);
        fl_order_words(&keys[k], local->list, count, join->order[k].is_descending, local->words);
        for (int32_t i = 0; i < count; i++)
            *(uint64_t *)(local->rows[i] + at) = local->words[i];
    }
    st = fl_stretches_add(&local->stretches, worker, count, err);
cleanup:
    return st;
}

/* Puts the first words of some of the rows side by side. */
static fl_status gather_words(void *ctx, int32_t c, fl_err *err)
{
    merge_right *join = ctx;
    int64_t start = (int64_t)c * CHECK_ROWS,
            end = join->n_rows < start + CHECK_ROWS ? join->n_rows : start + CHECK_ROWS;
    uint64_t before = start > 0 ? *(const uint64_t *)join->rows[start - 1] : 0;
    bool is_disordered = false;
    for (int64_t i = start; i < end; i++) {
        uint64_t word = *(const uint64_t *)join->rows[i];
        is_disordered |= word < before;
        join->words[i] = before = word;
    }
    if (is_disordered)
        atomic_store(&join->is_disordered, true);
    return fl_exec_check(join->pairs.exec, err);
}

static fl_status right_finish(fl_stage *base, void *const *locals, int32_t n_locals, fl_err *err)
{
    fl_status st = FL_OK;
    merge_right *join = (merge_right *)base;
    fl_exec *exec = join->pairs.exec;
    fl_stretched_rows *stores = NULL;
    int32_t n_stores = 0;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n_locals + 1, &stores, err));
    for (int32_t w = 0; w < n_locals; w++) {
        const right_local *local = locals[w];
        if (local == NULL)
            continue;
        stores[n_stores++] = (fl_stretched_rows){&local->store, &local->stretches};
        join->n_rows += local->store.rows;
        join->pairs.has_null_key |= local->has_null_key;
    }
    join->pairs.build_rows = join->n_rows;
    FL_TRY(fl_alloc(exec->context.memory, join->n_rows * 8 + 8, (void **)&join->rows, err));
    FL_TRY(fl_alloc(exec->context.memory, join->n_rows * 8 + 8, (void **)&join->words, err));
    FL_TRY(fl_stretches_gather(exec, stores, n_stores, join->rows, NULL, err));
    FL_TRY(fl_exec_parallel(exec, (int32_t)((join->n_rows + CHECK_ROWS - 1) / CHECK_ROWS), gather_words, join, err));
    if (atomic_load(&join->is_disordered))
        st = fail_disordered(join, 1, err);
cleanup:
    return st;
}

static void right_free(fl_stage *base)
{
    fl_free(((merge_right *)base)->rows);
    fl_free(((merge_right *)base)->words);
}

static const fl_stage_ops right_ops = {.what = "the right side of the merge join",
                                       .local_new = right_local_new,
                                       .push = right_push,
                                       .finish = right_finish,
                                       .local_free = right_local_free,
                                       .free = right_free};

/* ---- left side ---------------------------------------------------------------------------------------------------- */

static fl_status left_local_new(fl_stage *base, fl_worker *worker, void **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const merge_right *join = ((merge_left *)base)->right;
    fl_memory *memory = worker->exec->context.memory;
    int32_t rows_max = worker->exec->context.session->vector_rows;
    left_local *local = NULL;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*local), (void **)&local, err));
    *ret = local;
    FL_TRY(fl_pair_list_init(&local->pairs, &join->pairs, worker, err));
    FL_TRY(fl_alloc(memory, rows_max * 2 + 64, (void **)&local->list, err));
    FL_TRY(fl_alloc(memory, (int64_t)rows_max * 8 * join->pairs.n_keys + 64, (void **)&local->words, err));
    if (join->is_in_place) {
        FL_TRY(fl_alloc(memory, rows_max * 2 + 64, (void **)&local->all, err));
        FL_TRY(fl_alloc(memory, rows_max * 2 + 64, (void **)&local->out_left, err));
        FL_TRY(fl_alloc(memory, rows_max * 8 + 64, (void **)&local->out_right, err));
    }
cleanup:
    return st;
}

static void left_local_free(fl_stage *base, void *ptr)
{
    (void)base;
    left_local *local = ptr;
    fl_pair_list_drop(&local->pairs);
    fl_free(local->list);
    fl_free(local->words);
    fl_free(local->all);
    fl_free(local->out_left);
    fl_free(local->out_right);
    fl_free(local);
}

/* Order of the keys of listed row i and of right row `at`, whose first words are the same. */
static int compare_tied(const merge_right *join, const left_local *local, int32_t rows_max, int32_t i, int64_t at)
{
    const uint8_t *row = join->rows[at];
    for (int32_t k = 0; k < join->pairs.n_keys; k++) {
        uint64_t left = local->words[(int64_t)k * rows_max + i];
        uint64_t right = *(const uint64_t *)(row + word_offset(join, k));
        if (left != right)
            return left < right ? -1 : 1;
        bool is_descending = join->order[k].is_descending;
        if (fl_order_word_decides(local->keys[k].type, is_descending ? ~left : left))
            continue;
        int order = fl_order_compare_tied(&local->keys[k], local->list[i], row + join->pairs.layout.offsets[k]);
        if (order != 0)
            return is_descending ? -order : order;
    }
    return 0;
}

static inline int compare(const merge_right *join, const left_local *local, int32_t rows_max, int32_t i, int64_t at)
{
    uint64_t left = local->words[i], right = join->words[at];
    if (left != right)
        return left < right ? -1 : 1;
    return join->words_decide ? 0 : compare_tied(join, local, rows_max, i, at);
}

/* The first right row from `at` on that is not before listed row i. */
static int64_t leap(const merge_right *join, const left_local *local, int32_t rows_max, int32_t i, int64_t at)
{
    int64_t step = 1, end = at; /* rows before `at` are before it, `end` is not known to be */
    while (end < join->n_rows && compare(join, local, rows_max, i, end) > 0) {
        at = end + 1;
        end += step;
        step *= 2;
    }
    end = end < join->n_rows ? end : join->n_rows;
    while (at < end) {
        int64_t middle = at + (end - at) / 2;
        if (compare(join, local, rows_max, i, middle) > 0)
            at = middle + 1;
        else
            end = middle;
    }
    return at;
}

static fl_status flush_out(const merge_left *stage, left_local *local, fl_worker *worker, const fl_batch *batch,
                           fl_err *err)
{
    int32_t n = local->n_out;
    local->n_out = 0;
    return fl_join_emit_pairs(&stage->right->pairs, worker, stage->base.next, batch, local->out_left, local->out_right,
                              n, err);
}

/* Puts out a left row with a partner, or with nulls. */
static fl_status put_out(const merge_left *stage, left_local *local, fl_worker *worker, const fl_batch *batch,
                         uint16_t row, uint8_t *partner, fl_err *err)
{
    local->out_left[local->n_out] = row;
    local->out_right[local->n_out++] = partner;
    if (local->n_out < worker->exec->context.session->vector_rows)
        return FL_OK;
    return flush_out(stage, local, worker, batch, err);
}

/* Settles the first `count` pairs, which ascend; left rows below `done` have no others, so those without a true one are put out
 * between them. The last ones are passed on when the batch is done. */
static fl_status settle_in_place(const merge_left *stage, left_local *local, fl_worker *worker, const fl_batch *batch,
                                 int32_t count, int32_t done, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_pairs *pairs = &stage->right->pairs;
    const fl_pair_list *list = &local->pairs;
    fl_arena_mark mark = fl_arena_mark_get(&worker->arena);
    int32_t p = 0;
    FL_TRY(fl_join_filter_pairs(pairs, &local->pairs, worker, batch, &count, err));
    for (;; local->next_all++) {
        int32_t row = local->next_all < local->n_all ? local->all[local->next_all] : batch->rows;
        for (; p < count && list->probe[p] == row; p++) {
            bool has_other = fl_bit_get(list->found, row);
            if (has_other && pairs->kind == FL_JOIN_FIRST)
                continue;
            if (has_other && pairs->kind == FL_JOIN_SINGLE) {
                st = fl_join_fail_second_row(pairs, err);
                goto cleanup;
            }
            fl_bit_set(list->found, row);
            FL_TRY(put_out(stage, local, worker, batch, (uint16_t)row, list->build[p], err));
        }
        if (row >= done)
            break;
        if (!fl_bit_get(list->found, row))
            FL_TRY(put_out(stage, local, worker, batch, (uint16_t)row, NULL, err));
    }
    FL_ASSERT(p == count);
    if (done == batch->rows)
        FL_TRY(flush_out(stage, local, worker, batch, err));
    st = fl_exec_check(worker->exec, err);
cleanup:
    fl_arena_rewind(&worker->arena, mark);
    return st;
}

static fl_status settle(const merge_left *stage, left_local *local, fl_worker *worker, const fl_batch *batch,
                        int32_t count, int32_t done, fl_err *err)
{
    if (stage->right->is_in_place)
        return settle_in_place(stage, local, worker, batch, count, done, err);
    return fl_join_settle_pairs(&stage->right->pairs, &local->pairs, worker, stage->base.next, batch, count, err);
}

/* Pairs of the listed rows with the right rows of the same keys. */
static fl_status merge_rows(const merge_left *stage, left_local *local, fl_worker *worker, const fl_batch *batch,
                            int32_t n_list, fl_err *err)
{
    fl_status st = FL_OK;
    const merge_right *join = stage->right;
    int32_t rows_max = worker->exec->context.session->vector_rows, count = 0;
    int64_t at = local->at, n_rows = join->n_rows;
    const uint64_t *words = local->words;
    bool wants_one = fl_join_wants_one(&join->pairs), is_one = wants_one && join->pairs.n_residual == 0;
    bool wants_pairs = !(is_one && fl_join_is_existence(&join->pairs));
    if (n_list == 0 || n_rows == 0)
        return FL_OK;
    if (at > 0 && compare(join, local, rows_max, 0, at - 1) <= 0) /* an earlier morsel than the one before */
        at = 0;
    for (int32_t i = 0; i < n_list && at < n_rows; i++) {
        int order = compare(join, local, rows_max, i, at);
        if (order < 0) { /* rows before the next right one have no partner */
            for (uint64_t next = join->words[at]; i + 1 < n_list && words[i + 1] < next;)
                i++;
            continue;
        }
        if (order > 0) {
            at = leap(join, local, rows_max, i, at + 1);
            order = at < n_rows ? compare(join, local, rows_max, i, at) : -1;
        }
        uint16_t row = local->list[i];
        for (int64_t j = at; order == 0; j++, order = j < n_rows ? compare(join, local, rows_max, i, j) : -1) {
            if (!wants_pairs) {
                fl_bit_set(local->pairs.found, row);
                break;
            }
            local->pairs.probe[count] = row;
            local->pairs.build[count++] = join->rows[j];
            if (count == rows_max) {
                FL_TRY(settle(stage, local, worker, batch, count, row, err));
                count = 0;
                if (wants_one && fl_bit_get(local->pairs.found, row))
                    break;
            }
            if (is_one)
                break;
        }
    }
    local->at = at;
    if (count > 0)
        st = settle(stage, local, worker, batch, count, local->pairs.probe[count - 1], err);
cleanup:
    return st;
}

/* The words of the listed rows; they must ascend. */
static fl_status make_words(const merge_right *join, left_local *local, int32_t rows_max, int32_t n_list, fl_err *err)
{
    bool is_disordered = false;
    const uint64_t *words = local->words;
    for (int32_t k = 0; k < join->pairs.n_keys; k++)
        fl_order_words(&local->keys[k], local->list, n_list, join->order[k].is_descending,
                       local->words + (int64_t)k * rows_max);
    for (int32_t i = 1; i < n_list; i++)
        is_disordered |= words[i] < words[i - 1];
    return is_disordered ? fail_disordered(join, 0, err) : FL_OK;
}

static fl_status left_push(fl_stage *base, fl_worker *worker, void *ptr, fl_batch *batch, fl_err *err)
{
    fl_status st = FL_OK;
    const merge_left *stage = (merge_left *)base;
    const merge_right *join = stage->right;
    left_local *local = ptr;
    fl_vec *keys = NULL;
    if (fl_join_is_probe_idle(&join->pairs))
        return FL_DONE;
    FL_TRY(fl_join_begin_batch(&join->pairs, &local->pairs, worker, batch, &keys, err));
    for (int32_t k = 0; k < join->pairs.n_keys; k++)
        FL_TRY(flatten_key(&worker->arena, batch->rows, &keys[k], err));
    local->keys = keys;
    if (join->is_in_place) {
        local->n_all = fl_join_list_rows(batch, local->all);
        local->next_all = 0;
    }
    int32_t n_list = fl_join_drop_null_keys(&join->pairs, keys, local->list, fl_join_list_rows(batch, local->list));
    FL_TRY(make_words(join, local, worker->exec->context.session->vector_rows, n_list, err));
    FL_TRY(merge_rows(stage, local, worker, batch, n_list, err));
    if (join->is_in_place)
        st = settle_in_place(stage, local, worker, batch, 0, batch->rows, err);
    else
        st = fl_join_finish_batch(&join->pairs, &local->pairs, worker, base->next, batch, keys, err);
cleanup:
    return st;
}

static const fl_stage_ops left_ops = {.what = "the left side of the merge join",
                                      .local_new = left_local_new,
                                      .push = left_push,
                                      .local_free = left_local_free};

/* ---- building ----------------------------------------------------------------------------------------------------- */

fl_status fl_join_build_merge(fl_exec *exec, const fl_node *node, fl_stage *next, fl_err *err)
{
    fl_status st = FL_OK;
    merge_right *right = NULL;
    merge_left *left = NULL;
    const fl_join_attrs *attrs = fl_join_of(node);
    FL_ASSERT(attrs->n_order > 0 && !attrs->build_left && !attrs->filters_probe);
    FL_ASSERT(attrs->kind != FL_JOIN_RIGHT && attrs->kind != FL_JOIN_FULL);
    FL_TRY(fl_exec_add_stage(exec, &right_ops, (int64_t)sizeof(*right), NULL, NULL, &right, err));
    FL_TRY(fl_join_pairs_plan(exec, node, (attrs->n_order - 1) * 8, &right->pairs, err));
    right->order = attrs->order;
    right->words_decide = attrs->n_order == 1 && fl_order_words_decide(right->pairs.build_exprs[0]->type);
    right->is_in_place = attrs->kind == FL_JOIN_LEFT || attrs->kind == FL_JOIN_SINGLE || attrs->kind == FL_JOIN_FIRST;
    FL_TRY(fl_exec_add_stage(exec, &left_ops, (int64_t)sizeof(*left), node, next, &left, err));
    left->right = right;
    FL_TRY(fl_exec_build(exec, right->pairs.build_side, &right->base, err));
    FL_TRY(fl_exec_add_finish(exec, &right->base, err));
    FL_TRY(fl_exec_wait_for(exec, &left->base.waits, &right->base, err));
    st = fl_exec_build(exec, right->pairs.probe_side, &left->base, err);
cleanup:
    return st;
}
