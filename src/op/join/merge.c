/* The merge join: both inputs come in the order of the keys, so partners are found by going along.
 *
 * The right input's rows are kept, in order (op/join/merge_right.h), and beside them the order word of their first key
 * (exec/order_words.h), side by side: most comparisons look at nothing else. The left input is not kept. Its batches come to
 * any worker, each in order in itself and behind the worker's last one; a worker leaps over the right rows that lie before the
 * next left key by doubling its steps, so it costs little to begin anywhere. Right rows of equal keys are gone over again for
 * each left row that has them; pairs are settled a batch at a time (op/join/pairs.h), or when rows of theirs leave the window.
 *
 * Rows come out in the order of the left input, those of outer joins without a partner in their place.
 *
 * Rows that are not in the order that their source promised are an error, as far as first keys show it. */
#include "op/join/merge.h"

#include "exec/order_words.h"
#include "op/join/merge_right.h"
#include "op/join/node.h"

typedef struct merge_left {
    fl_stage base;
    fl_merge_right *right;
    bool words_decide; /* one key, whose word tells its value */
    bool is_in_place;  /* left rows without a partner are put out, between the others */
} merge_left;

typedef struct left_local {
    fl_pair_list pairs;
    uint16_t *list;  /* rows with usable keys */
    uint64_t *words; /* of the keys of the listed rows, a key behind the other */
    const fl_vec *keys;
    fl_merge_window window;
    int64_t at;              /* right row: where the last left key's partners begin, or would */
    uint16_t *all;           /* is_in_place: all rows, */
    int32_t n_all, next_all; /* and the first one that is not put out yet */
    uint16_t *out_left;
    uint8_t **out_right;
    int32_t n_out;
} left_local;

static fl_status left_local_new(fl_stage *base, fl_worker *worker, void **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const merge_left *stage = (merge_left *)base;
    const fl_merge_right *join = stage->right;
    fl_memory *memory = worker->exec->context.memory;
    int32_t rows_max = worker->exec->context.session->vector_rows;
    left_local *local = NULL;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*local), (void **)&local, err));
    *ret = local;
    FL_TRY(fl_pair_list_init(&local->pairs, &join->pairs, worker, err));
    FL_TRY(fl_alloc(memory, rows_max * 2 + 64, (void **)&local->list, err));
    FL_TRY(fl_alloc(memory, (int64_t)rows_max * 8 * join->pairs.n_keys + 64, (void **)&local->words, err));
    if (stage->is_in_place) {
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
    fl_merge_window_drop(&local->window);
    fl_free(local->list);
    fl_free(local->words);
    fl_free(local->all);
    fl_free(local->out_left);
    fl_free(local->out_right);
    fl_free(local);
}

/* Order of the keys of listed row i and of a right row, whose first words are the same. */
static int compare_tied(const fl_merge_right *join, const left_local *local, int32_t rows_max, int32_t i,
                        const uint8_t *row)
{
    for (int32_t k = 0; k < join->pairs.n_keys; k++) {
        uint64_t left = local->words[(int64_t)k * rows_max + i];
        uint64_t right = *(const uint64_t *)(row + fl_merge_word_offset(join, k));
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

/* Order of listed row i and of right row `at`, which is in the window. */
static inline int compare(const merge_left *stage, const left_local *local, int32_t rows_max, int32_t i, int64_t at)
{
    int64_t place = at - local->window.from;
    uint64_t left = local->words[i], right = local->window.words[place];
    if (left != right)
        return left < right ? -1 : 1;
    return stage->words_decide ? 0 : compare_tied(stage->right, local, rows_max, i, local->window.rows[place]);
}

/* The first right row from `at` on that is not before listed row i; the end of the window, if there is none. */
static int64_t leap(const merge_left *stage, const left_local *local, int32_t rows_max, int32_t i, int64_t at)
{
    int64_t step = 1, end = at,
            n_rows = local->window.end; /* rows before `at` are before it, `end` is not known to be */
    while (end < n_rows && compare(stage, local, rows_max, i, end) > 0) {
        at = end + 1;
        end += step;
        step *= 2;
    }
    end = end < n_rows ? end : n_rows;
    while (at < end) {
        int64_t middle = at + (end - at) / 2;
        if (compare(stage, local, rows_max, i, middle) > 0)
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
    if (n == 0)
        return FL_OK;
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
    if (stage->is_in_place)
        return settle_in_place(stage, local, worker, batch, count, done, err);
    return fl_join_settle_pairs(&stage->right->pairs, &local->pairs, worker, stage->base.next, batch, count, err);
}

/* Moves the window to right row `at`. Pairs that wait, none of which is of a left row behind `row`, are put out before. */
static fl_status move_window(const merge_left *stage, left_local *local, fl_worker *worker, const fl_batch *batch,
                             int32_t *count, uint16_t row, int64_t at, fl_err *err)
{
    fl_status st = FL_OK;
    if (*count > 0)
        FL_TRY(settle(stage, local, worker, batch, *count, row, err));
    *count = 0;
    FL_TRY(flush_out(stage, local, worker, batch, err));
    st = fl_merge_window_move(&local->window, stage->right, at, err);
cleanup:
    return st;
}

/* The first right row from *at on that is not before listed row i; the end of all, if there is none. */
static fl_status find(const merge_left *stage, left_local *local, fl_worker *worker, const fl_batch *batch, int32_t i,
                      int32_t *count, int64_t *at, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t rows_max = worker->exec->context.session->vector_rows;
    int64_t n_rows = stage->right->n_rows;
    while (*at < n_rows) {
        if (!fl_merge_window_has(&local->window, *at)) {
            *at = fl_merge_window_skip(stage->right, *at, local->words[i]);
            FL_TRY(move_window(stage, local, worker, batch, count, local->list[i], *at, err));
        }
        *at = leap(stage, local, rows_max, i, *at);
        if (*at < local->window.end)
            break;
    }
cleanup:
    return st;
}

/* Pairs of the listed rows with the right rows of the same keys. */
static fl_status merge_rows(const merge_left *stage, left_local *local, fl_worker *worker, const fl_batch *batch,
                            int32_t n_list, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_merge_right *join = stage->right;
    const fl_merge_window *window = &local->window;
    int32_t rows_max = worker->exec->context.session->vector_rows, count = 0;
    int64_t at = local->at, n_rows = join->n_rows;
    const uint64_t *words = local->words;
    bool wants_one = fl_join_wants_one(&join->pairs), is_one = wants_one && join->pairs.n_residual == 0;
    bool wants_pairs = !(is_one && fl_join_is_existence(&join->pairs));
    if (n_list == 0 || n_rows == 0)
        return FL_OK;
    if (at > 0) { /* an earlier morsel than the one before? */
        if (!fl_merge_window_has(window, at - 1))
            FL_TRY(move_window(stage, local, worker, batch, &count, 0, at - 1, err));
        at = compare(stage, local, rows_max, 0, at - 1) <= 0 ? 0 : at;
    }
    for (int32_t i = 0; i < n_list && at < n_rows; i++) {
        int order = 1;
        if (fl_merge_window_has(window, at)) {
            order = compare(stage, local, rows_max, i, at);
            at += order > 0;
        }
        if (order < 0) { /* rows before the next right one have no partner */
            for (uint64_t next = window->words[at - window->from]; i + 1 < n_list && words[i + 1] < next;)
                i++;
            continue;
        }
        if (order > 0) {
            FL_TRY(find(stage, local, worker, batch, i, &count, &at, err));
            order = at < n_rows ? compare(stage, local, rows_max, i, at) : -1;
        }
        uint16_t row = local->list[i];
        for (int64_t j = at; order == 0;) {
            if (!wants_pairs) {
                fl_bit_set(local->pairs.found, row);
                break;
            }
            local->pairs.probe[count] = row;
            local->pairs.build[count++] = window->rows[j - window->from];
            if (count == rows_max) {
                FL_TRY(settle(stage, local, worker, batch, count, row, err));
                count = 0;
            }
            if (is_one || ++j == n_rows)
                break;
            if (!fl_merge_window_has(window, j))
                FL_TRY(move_window(stage, local, worker, batch, &count, row, j, err));
            if (count == 0 && wants_one && fl_bit_get(local->pairs.found, row)) /* as settled */
                break;
            order = compare(stage, local, rows_max, i, j);
        }
    }
    local->at = at;
    if (count > 0)
        st = settle(stage, local, worker, batch, count, local->pairs.probe[count - 1], err);
cleanup:
    return st;
}

/* The words of the listed rows; they must ascend. */
static fl_status make_words(const fl_merge_right *join, left_local *local, int32_t rows_max, int32_t n_list,
                            fl_err *err)
{
    bool is_disordered = false;
    const uint64_t *words = local->words;
    for (int32_t k = 0; k < join->pairs.n_keys; k++)
        fl_order_words(&local->keys[k], local->list, n_list, join->order[k].is_descending,
                       local->words + (int64_t)k * rows_max);
    for (int32_t i = 1; i < n_list; i++)
        is_disordered |= words[i] < words[i - 1];
    return is_disordered ? fl_merge_fail_disordered(join, 0, err) : FL_OK;
}

static fl_status left_push(fl_stage *base, fl_worker *worker, void *ptr, fl_batch *batch, fl_err *err)
{
    fl_status st = FL_OK;
    const merge_left *stage = (merge_left *)base;
    const fl_merge_right *join = stage->right;
    left_local *local = ptr;
    fl_vec *keys = NULL;
    if (fl_join_is_probe_idle(&join->pairs))
        return FL_DONE;
    FL_TRY(fl_join_begin_batch(&join->pairs, &local->pairs, worker, batch, &keys, err));
    for (int32_t k = 0; k < join->pairs.n_keys; k++)
        FL_TRY(fl_merge_flatten_key(&worker->arena, batch->rows, &keys[k], err));
    local->keys = keys;
    fl_merge_window_open(&local->window, join);
    if (stage->is_in_place) {
        local->n_all = fl_join_list_rows(batch, local->all);
        local->next_all = 0;
    }
    int32_t n_list = fl_join_drop_null_keys(&join->pairs, keys, local->list, fl_join_list_rows(batch, local->list));
    FL_TRY(make_words(join, local, worker->exec->context.session->vector_rows, n_list, err));
    FL_TRY(merge_rows(stage, local, worker, batch, n_list, err));
    if (stage->is_in_place)
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
    fl_merge_right *right = NULL;
    merge_left *left = NULL;
    const fl_join_attrs *attrs = fl_join_of(node);
    FL_ASSERT(attrs->n_order > 0 && !attrs->build_left && !attrs->filters_probe);
    FL_ASSERT(attrs->kind != FL_JOIN_RIGHT && attrs->kind != FL_JOIN_FULL);
    FL_TRY(fl_merge_right_plan(exec, node, &right, err));
    FL_TRY(fl_exec_add_stage(exec, &left_ops, (int64_t)sizeof(*left), node, next, &left, err));
    left->right = right;
    left->base.multiplies = fl_join_multiplies(&right->pairs);
    left->words_decide = attrs->n_order == 1 && fl_order_words_decide(right->pairs.build_exprs[0]->type);
    left->is_in_place = attrs->kind == FL_JOIN_LEFT || attrs->kind == FL_JOIN_SINGLE || attrs->kind == FL_JOIN_FIRST;
    FL_TRY(fl_exec_build(exec, right->pairs.build_side, &right->base, err));
    FL_TRY(fl_exec_add_finish(exec, &right->base, err));
    FL_TRY(fl_exec_wait_for(exec, &left->base.waits, &right->base, err));
    st = fl_exec_build(exec, right->pairs.probe_side, &left->base, err);
cleanup:
    return st;
}
