/* Pairs of rows: planning, filtering, passing on. */
#include "op/join/pairs.h"

#include "plan/props.h"

/* ---- planning --------------------------------------------------------------------------------------------------- */

/* What of the condition is no key. */
typedef struct split {
    const fl_expr **residual;
    int32_t n_residual;
    int32_t three_valued; /* index in residual, or -1 */
} split;

/* An equality between the sides: gives the build and probe expressions. */
static fl_status take_key(fl_exec *exec, fl_join_pairs *pairs, const fl_expr *e, bool *ret_taken, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_set a, b;
    *ret_taken = false;
    if (e->kind != FL_EXPR_CALL || e->n_args != 2)
        return FL_OK;
    bool equal = strcmp(e->func->name, "=") == 0, same = strcmp(e->func->name, "is_not_distinct_from") == 0;
    if ((!equal && !same) || !fl_type_is_equal(e->args[0]->type, e->args[1]->type))
        return FL_OK;
    fl_col_set_init(&a);
    fl_col_set_init(&b);
    FL_TRY(fl_expr_add_cols(&exec->arena, e->args[0], &a, err));
    FL_TRY(fl_expr_add_cols(&exec->arena, e->args[1], &b, err));
    const fl_col_set *build = &pairs->build_side->made, *probe = &pairs->probe_side->made;
    if (fl_col_set_is_empty(&a) || fl_col_set_is_empty(&b))
        return FL_OK;
    bool straight = fl_col_set_has_all(probe, &a) && fl_col_set_has_all(build, &b);
    bool swapped = fl_col_set_has_all(build, &a) && fl_col_set_has_all(probe, &b);
    if (!straight && !swapped)
        return FL_OK;
    pairs->build_exprs[pairs->n_keys] = e->args[straight ? 1 : 0];
    pairs->probe_exprs[pairs->n_keys] = e->args[straight ? 0 : 1];
    pairs->is_null_safe[pairs->n_keys++] = same;
    *ret_taken = true;
cleanup:
    return st;
}

static fl_status split_condition(fl_exec *exec, fl_join_pairs *pairs, const fl_join_attrs *attrs, split *s, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n = attrs->n_conjuncts;
    for (int32_t i = 0; i < n; i++) {
        bool is_in = attrs->kind == FL_JOIN_MARK && i == 0, taken = false;
        if (is_in && fl_expr_is_true(attrs->conjuncts[i])) /* EXISTS as a value */
            continue;
        if (!is_in || n == 1)
            FL_TRY(take_key(exec, pairs, attrs->conjuncts[i], &taken, err));
        pairs->is_mark_fast |= taken && is_in;
        if (!taken) {
            if (is_in)
                s->three_valued = s->n_residual;
            s->residual[s->n_residual++] = attrs->conjuncts[i];
        }
    }
cleanup:
    return st;
}

/* Keys are those of the order. Other equalities are looked at first of what is left, so that conditions behind them are evaluated
 * for the pairs that a table would find. */
static fl_status split_merged(fl_exec *exec, fl_join_pairs *pairs, const fl_join_attrs *attrs, split *s, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr *merged[FL_JOIN_ORDER_MAX] = {NULL};
    bool taken = false;
    for (int32_t k = 0; k < attrs->n_order; k++) {
        fl_col_id sides[2];
        merged[k] = fl_join_merge_key(pairs->node, k, sides);
        FL_TRY(take_key(exec, pairs, merged[k], &taken, err));
        FL_ASSERT(taken && pairs->n_keys == k + 1);
    }
    for (int32_t round = 0; round < 2; round++)
        for (int32_t i = 0; i < attrs->n_conjuncts; i++) {
            bool is_merged = false;
            for (int32_t k = 0; k < attrs->n_order; k++)
                is_merged |= merged[k] == attrs->conjuncts[i];
            if (!is_merged && fl_expr_is_equality(attrs->conjuncts[i]) == (round == 0))
                s->residual[s->n_residual++] = attrs->conjuncts[i];
        }
    pairs->is_mark_fast = attrs->kind == FL_JOIN_MARK;
    FL_ASSERT(!pairs->is_mark_fast || s->n_residual == 0);
cleanup:
    return st;
}

/* Payload: columns of the build side that the output or the residual needs. */
static fl_status plan_payload(fl_exec *exec, fl_join_pairs *pairs, const split *s, int32_t extra_bytes, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_set wanted;
    fl_type *types = NULL;
    const fl_node *build = pairs->build_side;
    fl_col_set_init(&wanted);
    for (int32_t i = 0; i < s->n_residual; i++)
        FL_TRY(fl_expr_add_cols(&exec->arena, s->residual[i], &wanted, err));
    FL_TRY(fl_col_set_add_all(&exec->arena, &wanted, &pairs->node->made, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, build->n_cols + 1, &pairs->payload_from, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, build->n_cols + 1, &pairs->payload_cols, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, build->n_cols + pairs->n_keys + 1, &types, err));
    for (int32_t k = 0; k < pairs->n_keys; k++)
        types[k] = pairs->build_exprs[k]->type;
    for (int32_t c = 0; c < build->n_cols; c++)
        if (fl_col_set_has(&wanted, build->cols[c])) {
            types[pairs->n_keys + pairs->n_payload] = fl_plan_col(exec->plan, build->cols[c])->type;
            pairs->payload_cols[pairs->n_payload] = build->cols[c];
            pairs->payload_from[pairs->n_payload++] = c;
        }
    st = fl_row_layout_init(&pairs->layout, &exec->arena, types, pairs->n_keys + pairs->n_payload, extra_bytes, err);
cleanup:
    return st;
}

/* Where a column of a pair comes from. */
static int32_t pair_source(const fl_index_map *payload, const fl_index_map *probe, fl_col_id col)
{
    int32_t p = fl_index_map_find(payload, (uint64_t)col.n);
    return p >= 0 ? -1 - p : fl_index_map_find(probe, (uint64_t)col.n);
}

static fl_status plan_pairs(fl_exec *exec, fl_join_pairs *pairs, const fl_join_attrs *attrs, const split *s,
                            fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_set used;
    fl_col_id *cols = NULL;
    int32_t n_all = pairs->build_side->n_cols + pairs->probe_side->n_cols;
    fl_index_map payload, probe;
    FL_TRY(fl_exec_col_places(exec, pairs->payload_cols, pairs->n_payload, &payload, err));
    FL_TRY(fl_exec_col_places(exec, pairs->probe_side->cols, pairs->probe_side->n_cols, &probe, err));
    pairs->n_out = pairs->node->n_cols;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, pairs->n_out + FL_JOIN_PLACE_COLS, &pairs->out_from, err));
    for (int32_t c = 0; c < pairs->node->n_cols; c++)
        pairs->out_from[c] = attrs->kind == FL_JOIN_MARK && pairs->node->cols[c].n == attrs->mark.n
                                 ? INT32_MIN
                                 : pair_source(&payload, &probe, pairs->node->cols[c]);
    pairs->n_residual = s->n_residual;
    pairs->residual_has_three_valued = s->three_valued == 0;
    fl_col_set_init(&used);
    for (int32_t i = 0; i < s->n_residual; i++)
        FL_TRY(fl_expr_add_cols(&exec->arena, s->residual[i], &used, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n_all + 1, &cols, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n_all + 1, &pairs->pair_from, err));
    for (int32_t side = 0; side < 2; side++) {
        const fl_node *node = side == 0 ? pairs->probe_side : pairs->build_side;
        for (int32_t c = 0; c < node->n_cols; c++)
            if (fl_col_set_has(&used, node->cols[c])) {
                pairs->pair_from[pairs->n_pair_cols] = pair_source(&payload, &probe, node->cols[c]);
                cols[pairs->n_pair_cols++] = node->cols[c];
            }
    }
    st = fl_program_new(&exec->arena, exec->plan, exec->context.session, s->residual, s->n_residual, cols,
                        pairs->n_pair_cols, &pairs->residual, err);
cleanup:
    return st;
}

fl_status fl_join_pairs_plan(fl_exec *exec, const fl_node *node, int32_t extra_bytes, fl_join_pairs *ret, fl_err *err)
{
    fl_status st = FL_OK;
    split s;
    const fl_join_attrs *attrs = fl_join_of(node);
    *ret = (fl_join_pairs){.exec = exec, .node = node, .kind = attrs->kind, .build_left = attrs->build_left};
    ret->build_side = node->inputs[attrs->build_left ? 0 : 1];
    ret->probe_side = node->inputs[attrs->build_left ? 1 : 0];
    int32_t n = attrs->n_conjuncts;
    s = (split){.three_valued = -1};
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n + 1, &ret->build_exprs, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n + 1, &ret->probe_exprs, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n + 1, &ret->is_null_safe, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n + 1, &s.residual, err));
    if (attrs->n_order > 0)
        FL_TRY(split_merged(exec, ret, attrs, &s, err));
    else
        FL_TRY(split_condition(exec, ret, attrs, &s, err));
    FL_TRY(plan_payload(exec, ret, &s, extra_bytes, err));
    FL_TRY(plan_pairs(exec, ret, attrs, &s, err));
    if ((ret->kind == FL_JOIN_LEFT || ret->kind == FL_JOIN_FULL) && !ret->build_left) {
        FL_TRY(fl_arena_get_zero(&exec->arena, ret->layout.bytes, (void **)&ret->null_row, err));
        memset(ret->null_row + ret->layout.nulls_offset, 0xFF, (size_t)(ret->layout.n_cols + 7) / 8);
    }
    FL_TRY(fl_program_new(&exec->arena, exec->plan, exec->context.session, ret->build_exprs, ret->n_keys,
                          ret->build_side->cols, ret->build_side->n_cols, &ret->build_keys, err));
    st = fl_program_new(&exec->arena, exec->plan, exec->context.session, ret->probe_exprs, ret->n_keys,
                        ret->probe_side->cols, ret->probe_side->n_cols, &ret->probe_keys, err);
cleanup:
    return st;
}

/* ---- batches ---------------------------------------------------------------------------------------------------- */

fl_status fl_pair_list_init(fl_pair_list *list, const fl_join_pairs *pairs, fl_worker *worker, fl_err *err)
{
    fl_status st = FL_OK;
    fl_memory *memory = worker->exec->context.memory;
    int32_t rows_max = worker->exec->context.session->vector_rows;
    FL_TRY(fl_eval_new(pairs->probe_keys, memory, rows_max, &list->keys_eval, err));
    if (pairs->n_residual > 0)
        FL_TRY(fl_eval_new(pairs->residual, memory, rows_max, &list->residual_eval, err));
    FL_TRY(fl_alloc(memory, rows_max * 2 + 64, (void **)&list->probe, err));
    FL_TRY(fl_alloc(memory, rows_max * 8 + 64, (void **)&list->build, err));
    FL_TRY(fl_alloc(memory, rows_max / 8 + 64, (void **)&list->found, err));
    FL_TRY(fl_alloc(memory, rows_max / 8 + 64, (void **)&list->unknown, err));
cleanup:
    return st;
}

void fl_pair_list_drop(fl_pair_list *list)
{
    fl_eval_free(list->keys_eval);
    fl_eval_free(list->residual_eval);
    fl_free(list->probe);
    fl_free(list->build);
    fl_free(list->found);
    fl_free(list->unknown);
}

int32_t fl_join_list_rows(const fl_batch *batch, uint16_t *list)
{
    if (batch->mask != NULL)
        return fl_bitmap_to_list(batch->mask, batch->rows, list);
    for (int32_t i = 0; i < batch->rows; i++)
        list[i] = (uint16_t)i;
    return batch->rows;
}

int32_t fl_join_drop_null_keys(const fl_join_pairs *pairs, const fl_vec *keys, uint16_t *list, int32_t count)
{
    for (int32_t k = 0; k < pairs->n_keys; k++) {
        if (pairs->is_null_safe[k] || keys[k].valid == NULL)
            continue;
        int32_t kept = 0;
        for (int32_t i = 0; i < count; i++) {
            list[kept] = list[i];
            kept += fl_vec_is_valid(&keys[k], list[i]);
        }
        count = kept;
    }
    return count;
}

fl_status fl_join_begin_batch(const fl_join_pairs *pairs, fl_pair_list *list, fl_worker *worker, const fl_batch *batch,
                              fl_vec **ret_keys, fl_err *err)
{
    fl_status st = FL_OK;
    size_t bytes = (size_t)fl_bitmap_words(batch->rows) * 8;
    memset(list->found, 0, bytes);
    memset(list->unknown, 0, bytes);
    list->is_all = false;
    FL_TRY(FL_NEW_ARRAY(&worker->arena, pairs->n_keys + 1, ret_keys, err));
    fl_eval_begin(list->keys_eval, batch, &worker->arena);
    for (int32_t k = 0; k < pairs->n_keys; k++)
        FL_TRY(fl_eval_value(list->keys_eval, k, batch->mask, &(*ret_keys)[k], err));
cleanup:
    return st;
}

fl_status fl_join_write_rows(const fl_join_pairs *pairs, const fl_batch *batch, const fl_vec *keys,
                             const uint16_t *list, int32_t count, uint8_t *const *rows, fl_arena *heap, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t k = 0; k < pairs->n_keys; k++)
        FL_TRY(fl_rows_write(&pairs->layout, k, &keys[k], list, count, rows, heap, err));
    for (int32_t p = 0; p < pairs->n_payload; p++)
        FL_TRY(fl_rows_write(&pairs->layout, pairs->n_keys + p, &batch->vec[pairs->payload_from[p]], list, count, rows,
                             heap, err));
cleanup:
    return st;
}

/* ---- pairs ------------------------------------------------------------------------------------------------------ */

/* One column of `count` pairs: gathered from the probe batch, or read from build rows. */
static fl_status pair_column(const fl_join_pairs *pairs, int32_t from, const fl_batch *batch, const uint16_t *probe,
                             uint8_t *const *rows, int32_t count, fl_arena *arena, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    uint32_t *codes = NULL;
    if (from >= 0)
        return fl_vec_gather(arena, &batch->vec[from], probe, count, ret, err);
    if (pairs->payload_dict == NULL || pairs->payload_dict[-1 - from].layout != FL_DICT)
        return fl_rows_read(&pairs->layout, pairs->n_keys - 1 - from, rows, count, arena, ret, err);
    FL_TRY(fl_arena_get(arena, (int64_t)count * 4 + 64, (void **)&codes, err));
    for (int32_t i = 0; i < count; i++)
        codes[i] = *(const uint32_t *)(rows[i] + pairs->code_offset);
    *ret = pairs->payload_dict[-1 - from];
    ret->data = codes;
cleanup:
    return st;
}

fl_status fl_join_filter_pairs(const fl_join_pairs *pairs, fl_pair_list *list, fl_worker *worker, const fl_batch *batch,
                               int32_t *count, fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec *vecs = NULL;
    uint64_t *mask = NULL;
    int32_t n = *count, kept = n;
    if (pairs->n_residual == 0 || n == 0)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(&worker->arena, pairs->n_pair_cols + 1, &vecs, err));
    for (int32_t c = 0; c < pairs->n_pair_cols; c++)
        FL_TRY(
            pair_column(pairs, pairs->pair_from[c], batch, list->probe, list->build, n, &worker->arena, &vecs[c], err));
    fl_batch tested = {.rows = n, .cols = pairs->n_pair_cols, .vec = vecs, .kept = n};
    FL_TRY(fl_arena_get(&worker->arena, fl_bitmap_words(n) * 8 + 8, (void **)&mask, err));
    fl_bitmap_fill(mask, n, true);
    mask[fl_bitmap_words(n) - 1] &= fl_bitmap_tail(n);
    fl_eval_begin(list->residual_eval, &tested, &worker->arena);
    int32_t first = pairs->residual_has_three_valued ? 1 : 0;
    for (int32_t i = first; i < pairs->n_residual && kept > 0; i++)
        FL_TRY(fl_eval_filter(list->residual_eval, i, mask, &kept, err));
    if (first == 1 && kept > 0) {
        fl_vec test;
        FL_TRY(fl_eval_value(list->residual_eval, 0, mask, &test, err));
        FL_TRY(fl_vec_flatten(&worker->arena, &test, n, &test, err));
        const uint64_t *bits = test.data;
        for (int32_t i = 0; i < n; i++) {
            if (!fl_bit_get(mask, i))
                continue;
            if (!fl_is_valid(test.valid, i))
                fl_bit_set(list->unknown, list->probe[i]);
            if (!fl_is_valid(test.valid, i) || !fl_bit_get(bits, i))
                fl_bit_clear(mask, i);
        }
    }
    int32_t to = 0;
    for (int32_t i = 0; i < n; i++)
        if (fl_bit_get(mask, i)) {
            list->probe[to] = list->probe[i];
            list->build[to++] = list->build[i];
        }
    FL_ASSERT(to <= kept); /* what a test of three values leaves is fewer still */
    *count = to;
cleanup:
    return st;
}

/* Whether the rows of the pairs ascend, so that each has one at the most. */
static bool ascends(const uint16_t *probe, int32_t count)
{
    uint32_t falls = 0;
    for (int32_t i = 1; i < count; i++)
        falls |= probe[i - 1] >= probe[i];
    return falls == 0;
}

static fl_status pass_on(const fl_join_pairs *pairs, fl_stage *next, fl_worker *worker, fl_batch *batch, fl_err *err)
{
    return fl_push(pairs->n_out == pairs->node->n_cols ? pairs->node : NULL, next, worker, batch, err);
}

fl_status fl_join_emit_pairs(const fl_join_pairs *pairs, fl_worker *worker, fl_stage *next, const fl_batch *batch,
                             const uint16_t *probe, uint8_t *const *build, int32_t count, fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec *vecs = NULL;
    for (int32_t i = 0; i < count; i++)
        FL_ASSERT_SLOW(probe[i] < batch->rows);
    if (count == 0)
        return FL_OK;
    bool is_whole = count == batch->rows && ascends(probe, count); /* one pair of each row: nothing need be gathered */
    FL_TRY(FL_NEW_ARRAY(&worker->arena, pairs->n_out + 1, &vecs, err));
    for (int32_t c = 0; c < pairs->n_out; c++) {
        int32_t from = pairs->out_from[c];
        if (is_whole && from >= 0)
            vecs[c] = batch->vec[from];
        else
            FL_TRY(pair_column(pairs, from, batch, probe, build, count, &worker->arena, &vecs[c], err));
    }
    fl_batch out = {.rows = count, .cols = pairs->n_out, .vec = vecs, .kept = count};
    st = pass_on(pairs, next, worker, &out, err);
cleanup:
    return st;
}

/* Passes on all rows of a batch, of which each has one partner at the most: its columns as they are, and build rows beside them, or
 * nulls. */
static fl_status emit_outer(const fl_join_pairs *pairs, fl_worker *worker, fl_stage *next, const fl_batch *batch,
                            const uint16_t *probe, uint8_t *const *build, int32_t count, fl_err *err)
{
    fl_status st = FL_OK;
    uint8_t **beside = NULL;
    uint64_t *valid = NULL;
    fl_vec *vecs = NULL;
    FL_TRY(FL_NEW_ARRAY(&worker->arena, pairs->n_out + 1, &vecs, err));
    FL_TRY(fl_arena_get(&worker->arena, batch->rows * 8 + 64, (void **)&beside, err));
    FL_TRY(fl_arena_get_zero(&worker->arena, fl_bitmap_words(batch->rows) * 8 + 8, (void **)&valid, err));
    for (int32_t i = 0; i < batch->rows; i++)
        beside[i] = pairs->null_row;
    for (int32_t i = 0; i < count; i++) {
        beside[probe[i]] = build[i];
        fl_bit_set(valid, probe[i]);
    }
    for (int32_t c = 0; c < pairs->n_out; c++) {
        int32_t from = pairs->out_from[c];
        if (from >= 0) {
            vecs[c] = batch->vec[from];
            continue;
        }
        FL_TRY(pair_column(pairs, from, batch, NULL, beside, batch->rows, &worker->arena, &vecs[c], err));
        if (vecs[c].layout == FL_DICT) /* codes are of rows without nulls, and this one has none to tell by */
            vecs[c].valid = valid;
    }
    fl_batch out = {.rows = batch->rows, .cols = pairs->n_out, .vec = vecs, .mask = batch->mask};
    out.kept = batch->kept;
    st = pass_on(pairs, next, worker, &out, err);
cleanup:
    return st;
}

/* Of a batch whose pairs are all there. Where few rows have a partner, the others are passed on without looking at build rows. */
static bool is_outer_whole(const fl_join_pairs *pairs, const fl_pair_list *list, const fl_batch *batch, int32_t count)
{
    return list->is_all && pairs->null_row != NULL && count > batch->rows / 2 && count < batch->rows &&
           ascends(list->probe, count);
}

fl_status fl_join_fail_second_row(const fl_join_pairs *pairs, fl_err *err)
{
    fl_status st = FL_FAIL(err, FL_ERR_CARDINALITY, "a subquery used as an expression returned more than one row");
    fl_err_hint(err, "LIMIT 1 in it takes the first one, an aggregate such as max(…) one value of all");
    for (int32_t c = 0; c < pairs->build_side->n_cols; c++) {
        int32_t at = fl_plan_col(pairs->exec->plan, pairs->build_side->cols[c])->subquery_at;
        if (at > 0)
            fl_err_at(err, at - 1);
    }
    return st;
}

/* Of the true pairs those of probe rows that have no partner yet, one each. */
static int32_t keep_first(fl_pair_list *list, int32_t count)
{
    int32_t to = 0;
    for (int32_t i = 0; i < count; i++) {
        if (fl_bit_get(list->found, list->probe[i]))
            continue;
        fl_bit_set(list->found, list->probe[i]);
        list->probe[to] = list->probe[i];
        list->build[to++] = list->build[i];
    }
    return to;
}

/* What is done with a set of true pairs. */
static fl_status take_pairs(const fl_join_pairs *pairs, fl_pair_list *list, fl_worker *worker, fl_stage *next,
                            const fl_batch *batch, int32_t count, fl_err *err)
{
    if (pairs->match_offset > 0)
        for (int32_t i = 0; i < count; i++)
            __atomic_store_n(list->build[i] + pairs->match_offset, 1, __ATOMIC_RELAXED);
    if (pairs->build_left)
        return FL_OK;
    if (pairs->kind == FL_JOIN_FIRST)
        count = keep_first(list, count);
    else if (pairs->kind == FL_JOIN_SINGLE)
        for (int32_t i = 0; i < count; i++) {
            if (fl_bit_get(list->found, list->probe[i]))
                return fl_join_fail_second_row(pairs, err);
            fl_bit_set(list->found, list->probe[i]);
        }
    else
        for (int32_t i = 0; i < count; i++)
            fl_bit_set(list->found, list->probe[i]);
    if (fl_join_is_existence(pairs) || count == 0)
        return FL_OK;
    if (is_outer_whole(pairs, list, batch, count)) {
        memset(list->found, 0xFF, (size_t)fl_bitmap_words(batch->rows) * 8); /* nothing is left to put out at the end */
        return emit_outer(pairs, worker, next, batch, list->probe, list->build, count, err);
    }
    return fl_join_emit_pairs(pairs, worker, next, batch, list->probe, list->build, count, err);
}

fl_status fl_join_settle_pairs(const fl_join_pairs *pairs, fl_pair_list *list, fl_worker *worker, fl_stage *next,
                               const fl_batch *batch, int32_t count, fl_err *err)
{
    fl_arena_mark mark = fl_arena_mark_get(&worker->arena);
    fl_status st = fl_join_filter_pairs(pairs, list, worker, batch, &count, err);
    if (st == FL_OK)
        st = take_pairs(pairs, list, worker, next, batch, count, err);
    if (st == FL_OK)
        st = fl_exec_check(worker->exec, err);
    fl_arena_rewind(&worker->arena, mark);
    return st;
}

/* Passes probe rows on as they are (semi, anti, mark), or with nulls for the build side (outer joins). */
static fl_status emit_probe_rows(const fl_join_pairs *pairs, fl_worker *worker, fl_stage *next, const fl_batch *batch,
                                 const uint64_t *mask, int32_t kept, const fl_vec *mark, fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec *vecs = NULL;
    FL_TRY(FL_NEW_ARRAY(&worker->arena, pairs->n_out + 1, &vecs, err));
    for (int32_t c = 0; c < pairs->n_out; c++) {
        if (pairs->out_from[c] == INT32_MIN)
            vecs[c] = *mark;
        else if (pairs->out_from[c] >= 0)
            vecs[c] = batch->vec[pairs->out_from[c]];
        else
            fl_vec_set_const(&vecs[c], fl_plan_col(pairs->exec->plan, pairs->node->cols[c])->type, NULL);
    }
    fl_batch out = {.rows = batch->rows, .cols = pairs->n_out, .vec = vecs, .mask = mask, .kept = kept};
    if (kept * 8 < batch->rows)
        FL_TRY(fl_batch_compact(&worker->arena, &out, err));
    st = pass_on(pairs, next, worker, &out, err);
cleanup:
    return st;
}

fl_status fl_join_finish_batch(const fl_join_pairs *pairs, const fl_pair_list *list, fl_worker *worker, fl_stage *next,
                               const fl_batch *batch, const fl_vec *keys, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t words = fl_bitmap_words(batch->rows);
    uint64_t *mask = NULL;
    int32_t kept = 0;
    if (pairs->kind == FL_JOIN_INNER || pairs->kind == FL_JOIN_RIGHT || pairs->build_left)
        return FL_OK;
    FL_TRY(fl_arena_get(&worker->arena, words * 8 + 8, (void **)&mask, err));
    if (pairs->kind == FL_JOIN_MARK) {
        fl_vec mark;
        uint64_t *valid = NULL, *bits = NULL;
        FL_TRY(fl_arena_get(&worker->arena, words * 8 + 8, (void **)&valid, err));
        FL_TRY(fl_arena_get(&worker->arena, words * 8 + 8, (void **)&bits, err));
        memcpy(bits, list->found, (size_t)words * 8);
        for (int64_t w = 0; w < words; w++)
            valid[w] = ~(list->unknown[w] & ~list->found[w]);
        if (pairs->is_mark_fast && (pairs->build_rows > 0 || pairs->has_null_key))
            for (int32_t i = 0; i < batch->rows; i++) {
                bool null_key = false;
                for (int32_t k = 0; k < pairs->n_keys; k++)
                    null_key |= !fl_vec_is_valid(&keys[k], i);
                if ((null_key || pairs->has_null_key) && !fl_bit_get(bits, i))
                    fl_bit_clear(valid, i);
            }
        fl_vec_set_flat(&mark, FL_TYPE(FL_BOOL), bits, valid);
        return emit_probe_rows(pairs, worker, next, batch, batch->mask, batch->kept, &mark, err);
    }
    bool wants_found = pairs->kind == FL_JOIN_SEMI;
    for (int64_t w = 0; w < words; w++) {
        uint64_t in = batch->mask != NULL ? batch->mask[w] : w == words - 1 ? fl_bitmap_tail(batch->rows) : ~0ull;
        mask[w] = in & (wants_found ? list->found[w] : ~list->found[w]);
        kept += __builtin_popcountll(mask[w]);
    }
    if (kept > 0)
        st = emit_probe_rows(pairs, worker, next, batch, kept == batch->rows ? NULL : mask, kept, NULL, err);
cleanup:
    return st;
}

bool fl_join_is_probe_idle(const fl_join_pairs *pairs)
{
    bool wants_pairs = pairs->kind == FL_JOIN_INNER || pairs->kind == FL_JOIN_RIGHT || pairs->kind == FL_JOIN_SEMI ||
                       pairs->build_left;
    return pairs->build_rows == 0 && wants_pairs && !pairs->node->can_fail;
}
