/* ASOF and positional joins, which are put together of other operators.
 *
 * An ASOF join gives each left row the nearest right row of the same keys: the last one at or before it, of t >= u, or the next one, of
 * t <= u. Right rows are numbered, both sides are put into one sequence, and a window carries the number of the last right row that
 * went by; the join with that number brings its columns:
 *
 *     right rows, computed once: keys, u, row_number() AS n
 *     last(n) FILTER (WHERE is_right) OVER (PARTITION BY keys ORDER BY t NULLS FIRST, is_right DESC ROWS ...), over the union of both
 *     left rows JOIN right rows ON last = n, of the kind that is written
 *
 * All that sorts and spills are the operators' own. Rows with a null key have no partner: of the right ones none is numbered, left
 * ones stand in partitions without any, or before all others. */
#include "front/sql/bind.h"

#include "op/filter/node.h"
#include "op/join/node.h"
#include "op/materialize/node.h"
#include "op/project/node.h"
#include "op/set_op/node.h"
#include "op/sort/node.h"
#include "op/window/node.h"

/* ---- conditions ---- */

/* An ASOF join under way. Pairs of keys, the last of which is compared by the inequality. */
typedef struct asof {
    const fl_ast_table *ast;
    const fl_node *sides[2];
    const fl_expr **keys[2];
    int32_t n_keys;
    bool is_descending; /* the next right row is meant, not the last one */
    bool is_strict;     /* < and >: not one at the same time */
} asof;

/* The side whose columns alone an expression reads; -1: both, or none. */
static fl_status side_of(binder *b, const asof *a, const fl_expr *expr, int *ret)
{
    fl_status st = FL_OK;
    fl_col_set used;
    fl_col_set_init(&used);
    *ret = -1;
    FL_TRY(fl_expr_add_cols(fl_plan_arena(b->plan), expr, &used, b->err));
    bool reads[2];
    for (int side = 0; side < 2; side++)
        reads[side] = fl_col_set_meets(&used, &a->sides[side]->made);
    if (reads[0] != reads[1])
        *ret = reads[1];
cleanup:
    return st;
}

static fl_status fail_condition(binder *b, int32_t pos)
{
    fl_sql_bind_fail(b, pos, FL_ERR_UNSUPPORTED,
                     "the condition of an ASOF join is equalities and one of >=, >, <= and <, between the two sides");
    fl_err_hint(b->err,
                "write ON a.k = b.k AND a.t >= b.t; put other conditions into WHERE, or into a subquery of one side");
    return FL_ERR_UNSUPPORTED;
}

/* One of the condition's parts: its sides go to the keys, the inequality behind the last one. */
static fl_status take_part(binder *b, asof *a, const fl_expr *part, const fl_expr **last, bool *has_last)
{
    fl_status st = FL_OK;
    static const char *const names[] = {">=", ">", "<=", "<", "="};
    int op = 0, sides[2];
    int32_t pos = part->pos >= 0 ? part->pos : a->ast->join->on->start;
    while (op < 5 && (part->kind != FL_EXPR_CALL || part->n_args != 2 || strcmp(part->func->name, names[op]) != 0))
        op++;
    if (op == 5)
        return fail_condition(b, pos);
    for (int i = 0; i < 2; i++)
        FL_TRY(side_of(b, a, part->args[i], &sides[i]));
    if (sides[0] < 0 || sides[1] < 0 || sides[0] == sides[1])
        return fail_condition(b, pos);
    const fl_expr *left = part->args[sides[0]], *right = part->args[1 - sides[0]];
    if (op == 4) {
        a->keys[0][a->n_keys] = left;
        a->keys[1][a->n_keys++] = right;
        return FL_OK;
    }
    if (*has_last)
        return fail_condition(b, pos);
    *has_last = true;
    bool is_at_most = op >= 2;
    a->is_descending = is_at_most != (sides[0] == 1); /* b.u >= a.t is a.t <= b.u */
    a->is_strict = op % 2 == 1;
    last[0] = left;
    last[1] = right;
cleanup:
    return st;
}

static fl_status take_condition(binder *b, asof *a, const fl_expr *condition)
{
    fl_status st = FL_OK;
    const fl_expr *last[2] = {NULL, NULL};
    bool has_last = false, is_and = condition->kind == FL_EXPR_AND;
    int32_t n = is_and ? condition->n_args : 1;
    for (int side = 0; side < 2; side++)
        FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &a->keys[side], b->err));
    for (int32_t i = 0; i < n; i++)
        FL_TRY(take_part(b, a, is_and ? condition->args[i] : condition, last, &has_last));
    if (!has_last)
        return fail_condition(b, a->ast->join->on != NULL ? a->ast->join->on->start : a->ast->start);
    for (int side = 0; side < 2; side++)
        a->keys[side][a->n_keys] = last[side];
    a->n_keys++;
    for (int32_t i = 0; i < a->n_keys; i++) { /* a sequence of both needs one type */
        fl_type type;
        const fl_expr *pair[2] = {a->keys[0][i], a->keys[1][i]};
        int32_t odd;
        FL_TRY(fl_expr_common_type(b->plan, pair, 2, &type, &odd, b->err));
        if (odd >= 0)
            return fail_condition(b, pair[0]->pos);
        for (int side = 0; side < 2; side++)
            FL_TRY(fl_expr_cast(b->plan, pair[side], type, false, pair[side]->pos, &a->keys[side][i], b->err));
    }
cleanup:
    return st;
}

/* ---- the right side ---- */

typedef struct right_rows {
    const fl_node *rows, *keys; /* the same rows, read twice under ids of their own */
    fl_col_id rows_number;
    fl_col_id *key_cols; /* of `keys`: the keys, then the number */
    fl_index_map new_ids;
} right_rows;

static fl_status read_again(binder *b, const fl_node *shared, const fl_col_id *from, int32_t n, fl_col_id *cols,
                            const fl_node **ret)
{
    return fl_materialize_build(b->plan, shared, FL_STR("right rows of an ASOF join"), from, n, true, cols, ret,
                                b->err);
}

/* Leaves the rows none of whose keys is null. */
static fl_status leave_whole(binder *b, const fl_col_id *keys, int32_t n, const fl_node **node)
{
    fl_status st = FL_OK;
    const fl_expr **tests = NULL, *all;
    FL_TRY(FL_NEW_ARRAY(b->arena, n, &tests, b->err));
    for (int32_t i = 0; i < n; i++) {
        const fl_expr *key;
        FL_TRY(fl_expr_column(b->plan, keys[i], -1, &key, b->err));
        FL_TRY(fl_expr_is_null(b->plan, key, -1, &tests[i], b->err));
        FL_TRY(fl_expr_not(b->plan, tests[i], -1, &tests[i], b->err));
    }
    FL_TRY(fl_expr_and(b->plan, tests, n, -1, &all, b->err));
    FL_TRY(fl_filter_build(b->plan, *node, all, node, b->err));
cleanup:
    return st;
}

/* Numbers the right rows whose keys are not null; all of them where those without a partner are wanted. */
static fl_status make_right(binder *b, const asof *a, right_rows *ret)
{
    fl_status st = FL_OK;
    const fl_node *node = a->sides[1];
    fl_ast_join_kind kind = a->ast->join->kind;
    fl_col_id *keys = NULL, *from = NULL, *rows = NULL, *again = NULL, number;
    int32_t n_keys = a->n_keys;
    bool keeps_all = kind == FL_AST_JOIN_RIGHT || kind == FL_AST_JOIN_FULL;
    FL_TRY(FL_NEW_ARRAY(b->arena, n_keys, &keys, b->err));
    FL_TRY(fl_project_extend(b->plan, node, a->keys[1], NULL, n_keys, keys, &node, b->err));
    if (!keeps_all)
        FL_TRY(leave_whole(b, keys, n_keys, &node));
    FL_TRY(fl_sql_number_rows(b, node, &number, &node));
    int32_t n = node->n_cols;
    FL_TRY(FL_NEW_ARRAY(b->arena, n, &from, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n, &rows, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n, &again, b->err));
    memcpy(from, node->cols, (size_t)n * sizeof(*from));
    FL_TRY(read_again(b, node, from, n, rows, &ret->rows));
    FL_TRY(read_again(b, node, from, n, again, &ret->keys));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_keys + 1, &ret->key_cols, b->err));
    fl_index_map_init(&ret->new_ids, b->arena);
    for (int32_t c = 0; c < n; c++) {
        FL_TRY(fl_index_map_add(&ret->new_ids, (uint64_t)from[c].n, rows[c].n, b->err));
        for (int32_t i = 0; i < n_keys; i++)
            if (fl_col_is_equal(from[c], keys[i]))
                ret->key_cols[i] = again[c];
        if (fl_col_is_equal(from[c], number)) {
            ret->rows_number = rows[c];
            ret->key_cols[n_keys] = again[c];
        }
    }
    if (keeps_all)
        FL_TRY(leave_whole(b, ret->key_cols, n_keys, &ret->keys));
cleanup:
    return st;
}

/* ---- one sequence of both ---- */

/* What a row of the sequence is made of: the keys, the right row's number, whether it is one, the left row's columns. */
static fl_status project_side(binder *b, const asof *a, int side, const fl_node *input, const fl_expr *const *keys,
                              const fl_expr *number, const fl_node **ret, fl_col_id *ret_cols)
{
    fl_status st = FL_OK;
    const fl_node *left = a->sides[0];
    const fl_expr **exprs = NULL;
    int32_t n = 0;
    FL_TRY(FL_NEW_ARRAY(b->arena, a->n_keys + 2 + left->n_cols, &exprs, b->err));
    for (int32_t i = 0; i < a->n_keys; i++)
        exprs[n++] = keys[i];
    exprs[n++] = number;
    FL_TRY(fl_sql_expr_bool(b, side == 1, -1, &exprs[n++]));
    for (int32_t c = 0; c < left->n_cols; c++) {
        fl_value none = {.type = fl_plan_col(b->plan, left->cols[c])->type, .is_null = true};
        if (side == 0)
            FL_TRY(fl_expr_column(b->plan, left->cols[c], -1, &exprs[n++], b->err));
        else
            FL_TRY(fl_expr_const(b->plan, &none, -1, &exprs[n++], b->err));
    }
    /* the same value may stand in several places, and a union's columns are told apart */
    output out = {.root = input, .n_cols = n};
    FL_TRY(FL_NEW_ARRAY(b->arena, n, &out.cols, b->err));
    FL_TRY(fl_project_extend(b->plan, input, exprs, NULL, n, ret_cols, &out.root, b->err));
    for (int32_t i = 0; i < n; i++)
        out.cols[i] = (out_col){.col = ret_cols[i], .pos = -1};
    FL_TRY(fl_sql_output_exact(b, &out));
    for (int32_t i = 0; i < n; i++)
        ret_cols[i] = out.cols[i].col;
    *ret = out.root;
cleanup:
    return st;
}

/* The union of both sides; cols[] as project_side makes them. */
static fl_status make_sequence(binder *b, const asof *a, const right_rows *right, fl_col_id *cols, const fl_node **ret)
{
    fl_status st = FL_OK;
    int32_t n = a->n_keys + 2 + a->sides[0]->n_cols;
    const fl_node *sides[2];
    const fl_expr **keys = NULL, *number;
    fl_col_id *side_cols[2];
    fl_value none = {.type = FL_TYPE(FL_I64), .is_null = true};
    for (int side = 0; side < 2; side++)
        FL_TRY(FL_NEW_ARRAY(b->arena, n, &side_cols[side], b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, a->n_keys, &keys, b->err));
    FL_TRY(fl_expr_const(b->plan, &none, -1, &number, b->err));
    FL_TRY(project_side(b, a, 0, a->sides[0], a->keys[0], number, &sides[0], side_cols[0]));
    for (int32_t i = 0; i < a->n_keys; i++)
        FL_TRY(fl_expr_column(b->plan, right->key_cols[i], -1, &keys[i], b->err));
    FL_TRY(fl_expr_column(b->plan, right->key_cols[a->n_keys], -1, &number, b->err));
    FL_TRY(project_side(b, a, 1, right->keys, keys, number, &sides[1], side_cols[1]));
    FL_TRY(
        fl_set_op_build(b->plan, FL_UNION, true, sides[0], side_cols[0], sides[1], side_cols[1], n, cols, ret, b->err));
cleanup:
    return st;
}

/* Carries the number of the last right row along, and leaves the left rows. */
static fl_status carry(binder *b, const asof *a, const fl_col_id *cols, const fl_node **node, fl_col_id *ret)
{
    static const fl_frame frame = {
        .unit = FL_FRAME_ROWS, .start = FL_FRAME_UNBOUNDED_PRECEDING, .end = FL_FRAME_CURRENT_ROW};
    fl_status st = FL_OK;
    int32_t n_keys = a->n_keys;
    const fl_expr **partition = NULL, *number, *is_right, *is_left;
    fl_sort_key order[2] = {{.is_descending = a->is_descending, .nulls_first = true},
                            {.is_descending = !a->is_strict, .nulls_first = true}};
    fl_agg last;
    FL_TRY(FL_NEW_ARRAY(b->arena, n_keys, &partition, b->err));
    for (int32_t i = 0; i < n_keys; i++)
        FL_TRY(fl_expr_column(b->plan, cols[i], -1, i == n_keys - 1 ? &order[0].expr : &partition[i], b->err));
    FL_TRY(fl_expr_column(b->plan, cols[n_keys], -1, &number, b->err));
    FL_TRY(fl_expr_column(b->plan, cols[n_keys + 1], -1, &is_right, b->err));
    order[1].expr = is_right;
    FL_TRY(fl_agg_make(b->plan, FL_STR("last"), &number, 1, false, is_right, NULL, 0, -1, &last, b->err));
    last.frame = &frame;
    fl_window_attrs attrs = {.n_partition = n_keys - 1,
                             .partition = partition,
                             .n_order = 2,
                             .order = order,
                             .n_functions = 1,
                             .functions = &last,
                             .limit = -1};
    FL_TRY(fl_window_build(b->plan, *node, &attrs, node, b->err));
    FL_TRY(fl_expr_not(b->plan, is_right, -1, &is_left, b->err));
    FL_TRY(fl_filter_build(b->plan, *node, is_left, node, b->err));
    *ret = last.out;
cleanup:
    return st;
}

/* ---- the whole ---- */

static fl_status check_sides(binder *b, const fl_ast_table *ast, const fl_node *left, const fl_node *right)
{
    if (fl_col_set_is_empty(&right->outer))
        return FL_OK;
    fl_sql_bind_fail(b, ast->join->right->start, FL_ERR_UNSUPPORTED, "the right side of an ASOF join cannot read %s",
                     fl_col_set_meets(&right->outer, &left->made) ? "the left one" : "an outer query's columns");
    fl_err_hint(b->err, "join without reading them, and test them behind the join");
    return FL_ERR_UNSUPPORTED;
}

fl_status fl_sql_build_asof(binder *b, const fl_ast_table *ast, const fl_node *left, const fl_node *right,
                            const fl_expr *condition, fl_index_map *ret_ids, const fl_node **ret)
{
    static const fl_join_kind kinds[] = {
        [FL_AST_JOIN_INNER] = FL_JOIN_INNER, [FL_AST_JOIN_LEFT] = FL_JOIN_LEFT, [FL_AST_JOIN_RIGHT] = FL_JOIN_RIGHT,
        [FL_AST_JOIN_FULL] = FL_JOIN_FULL,   [FL_AST_JOIN_SEMI] = FL_JOIN_SEMI, [FL_AST_JOIN_ANTI] = FL_JOIN_ANTI,
    };
    fl_status st = FL_OK;
    asof a = {.ast = ast, .sides = {left, right}};
    right_rows made = {0};
    fl_col_id *cols = NULL, match;
    const fl_expr *test, *pair[2];
    const fl_node *node;
    FL_TRY(check_sides(b, ast, left, right));
    FL_TRY(take_condition(b, &a, condition));
    FL_TRY(make_right(b, &a, &made));
    FL_TRY(FL_NEW_ARRAY(b->arena, a.n_keys + 2 + left->n_cols, &cols, b->err));
    FL_TRY(make_sequence(b, &a, &made, cols, &node));
    FL_TRY(carry(b, &a, cols, &node, &match));
    FL_TRY(fl_expr_column(b->plan, match, -1, &pair[0], b->err));
    FL_TRY(fl_expr_column(b->plan, made.rows_number, -1, &pair[1], b->err));
    FL_TRY(fl_sql_compare(b, FL_AST_OP_EQ, pair[0], pair[1], -1, &test));
    FL_ASSERT(ast->join->kind < FL_LEN(kinds));
    FL_TRY(fl_join_build(b->plan, kinds[ast->join->kind], node, made.rows, test, NULL, ret, b->err));
    *ret_ids = made.new_ids;
    for (int32_t c = 0; c < left->n_cols; c++)
        FL_TRY(fl_index_map_add(ret_ids, (uint64_t)left->cols[c].n, cols[a.n_keys + 2 + c].n, b->err));
cleanup:
    return st;
}

/* ---- by position ---- */

/* The n-th row of one side beside the n-th of the other; what the shorter side lacks is null. */
fl_status fl_sql_build_positional(binder *b, const fl_ast_table *ast, const fl_node *left, const fl_node *right,
                                  const fl_node **ret)
{
    fl_status st = FL_OK;
    fl_col_id numbers[2], at;
    const fl_expr *pair[2], *test, *cases[3], *place;
    if (fl_col_set_meets(&right->outer, &left->made))
        return fl_sql_bind_fail(b, ast->join->right->start, FL_ERR_UNSUPPORTED,
                                "the right side of a positional join cannot read the left one");
    FL_TRY(fl_sql_number_rows(b, left, &numbers[0], &left));
    FL_TRY(fl_sql_number_rows(b, right, &numbers[1], &right));
    for (int side = 0; side < 2; side++)
        FL_TRY(fl_expr_column(b->plan, numbers[side], -1, &pair[side], b->err));
    FL_TRY(fl_sql_compare(b, FL_AST_OP_EQ, pair[0], pair[1], -1, &test));
    FL_TRY(fl_join_build(b->plan, FL_JOIN_FULL, left, right, test, NULL, ret, b->err));
    FL_TRY(fl_expr_is_null(b->plan, pair[0], -1, &cases[0], b->err));
    cases[1] = pair[1];
    cases[2] = pair[0];
    FL_TRY(fl_expr_case(b->plan, cases, 3, -1, &place, b->err));
    FL_TRY(fl_project_extend(b->plan, *ret, &place, NULL, 1, &at, ret, b->err));
    fl_sort_key key = {0};
    FL_TRY(fl_expr_column(b->plan, at, -1, &key.expr, b->err));
    FL_TRY(fl_sort_build(b->plan, *ret, &key, 1, ret, b->err));
cleanup:
    return st;
}
