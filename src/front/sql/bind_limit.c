/* LIMIT, OFFSET and FETCH: numbers of rows, a share of them, and the last row's peers. */
#include "front/sql/bind_statement.h"

#include "op/filter/node.h"
#include "op/limit/node.h"
#include "op/sort/node.h"
#include "op/window/node.h"

static fl_status plan_scalar(binder *b, void *ctx, output *ret)
{
    fl_status st = FL_OK;
    const fl_ast_expr *ast = ctx;
    FL_TRY(fl_sql_bind_query(b, NULL, NULL, ast->sub.query, ret));
    if (ret->n_cols != 1)
        return fl_sql_bind_fail(b, ast->start, FL_ERR_SYNTAX, "a subquery as a value has one column, this has %d",
                                ret->n_cols);
cleanup:
    return st;
}

/* LIMIT (SELECT ...): a query of its own, answered before the one that it limits. */
static fl_status bind_scalar_count(binder *b, const fl_ast_expr *ast, const char *what, fl_value *ret)
{
    fl_status st = FL_OK;
    fl_query query = {0};
    const fl_ast_statement no_params = {0};
    if (b->env->get_scalar == NULL)
        return fl_sql_bind_fail(b, ast->start, FL_ERR_UNSUPPORTED, "subqueries in %s are not supported yet", what);
    FL_TRY(fl_sql_bind_plan(b->env, &no_params, plan_scalar, (void *)(uintptr_t)ast, &query, b->err));
    FL_TRY(b->env->get_scalar(b->env, &query, b->arena, ret, b->err));
cleanup:
    fl_plan_unref(query.plan);
    if (st != FL_OK)
        fl_err_at(b->err, ast->start);
    return st;
}

/* The value of LIMIT or OFFSET; null for one that is not there, and for a parameter without a value yet. */
static fl_status bind_value(binder *b, scope *outer, const fl_ast_expr *ast, const char *what, fl_value *ret)
{
    fl_status st = FL_OK;
    scope s;
    *ret = (fl_value){.type = FL_TYPE(FL_I64), .is_null = true};
    if (ast == NULL)
        return FL_OK;
    if (ast->kind == FL_AST_PARAMETER) {
        int32_t number = ast->parameter - 1;
        if (number < b->n_limit_types)
            b->limit_types[number] = FL_TYPE(FL_I64);
        if (number >= b->env->n_params)
            return FL_OK; /* bound again when there is a value */
    }
    fl_sql_scope_init(&s, outer, CLAUSE_LIMIT);
    if (ast->kind == FL_AST_SUBQUERY)
        FL_TRY(bind_scalar_count(b, ast, what, ret));
    else
        FL_TRY(fl_sql_bind_constant(b, &s, ast, what, ret));
    if (!ret->is_null && !fl_type_is_numeric(ret->type) && ret->type.id != FL_UTF8)
        return fl_sql_bind_fail(b, ast->start, FL_ERR_TYPE, "%s is a number of rows, not %s", what,
                                FL_TYPE_NAME(ret->type));
cleanup:
    return st;
}

/* A number of rows; -1 where there is none. */
static fl_status bind_count(binder *b, scope *outer, const fl_ast_expr *ast, const char *what, int64_t *ret)
{
    fl_status st = FL_OK;
    fl_value value, count;
    *ret = -1;
    FL_TRY(bind_value(b, outer, ast, what, &value));
    if (value.is_null)
        return FL_OK;
    st = fl_value_cast(&value, FL_TYPE(FL_I64), &count, b->err);
    if (st != FL_OK) {
        fl_err_at(b->err, ast->start);
        return st;
    }
    if (count.i < 0)
        return fl_sql_bind_fail_state(b, ast->start, FL_ERR_RANGE, what[0] == 'L' ? "2201W" : "2201X",
                                      "%s must not be negative", what);
    *ret = count.i;
cleanup:
    return st;
}

/* A share of the rows, from 0 to 100; -1 where there is none. */
static fl_status bind_percent(binder *b, scope *outer, const fl_ast_expr *ast, double *ret)
{
    fl_status st = FL_OK;
    fl_value value, share;
    *ret = -1;
    FL_TRY(bind_value(b, outer, ast, "LIMIT", &value));
    if (value.is_null)
        return FL_OK;
    st = fl_value_cast(&value, FL_TYPE(FL_F64), &share, b->err);
    if (st != FL_OK) {
        fl_err_at(b->err, ast->start);
        return st;
    }
    if (!(share.f >= 0 && share.f <= 100))
        return fl_sql_bind_fail_state(b, ast->start, FL_ERR_RANGE, "2201W",
                                      "a limit in percent is between 0 and 100, not %g", share.f);
    *ret = share.f;
cleanup:
    return st;
}

/* ---- by functions of windows ---- */

/* column op bound */
static fl_status compare_col(binder *b, fl_col_id col, fl_ast_op op, const fl_expr *bound, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_expr *value;
    FL_TRY(fl_expr_column(b->plan, col, -1, &value, b->err));
    FL_TRY(fl_expr_cast(b->plan, value, bound->type, false, -1, &value, b->err));
    FL_TRY(fl_sql_compare(b, op, value, bound, -1, ret));
cleanup:
    return st;
}

/* Rows whose number is above `offset` and for which `last` is at most `bound`; as the query orders them. */
static fl_status keep_rows(binder *b, const fl_node *numbered, fl_col_id number, int64_t offset, fl_col_id last,
                           const fl_expr *bound, const fl_sort_key *keys, int32_t n_keys, const fl_node **ret)
{
    fl_status st = FL_OK;
    const fl_expr *tests[2], *first, *both;
    fl_value start = {.type = FL_TYPE(FL_I64), .i = offset};
    FL_TRY(fl_expr_const(b->plan, &start, -1, &first, b->err));
    FL_TRY(compare_col(b, last, FL_AST_OP_LE, bound, &tests[0]));
    FL_TRY(compare_col(b, number, FL_AST_OP_GT, first, &tests[1]));
    FL_TRY(fl_expr_and(b->plan, tests, offset > 0 ? 2 : 1, -1, &both, b->err));
    FL_TRY(fl_filter_build(b->plan, numbered, both, ret, b->err));
    if (n_keys > 0)
        FL_TRY(fl_sort_build(b->plan, *ret, keys, n_keys, ret, b->err));
cleanup:
    return st;
}

/* FETCH FIRST n ROWS WITH TIES: rank() <= offset + n, behind the first `offset` rows. */
static fl_status keep_ties(binder *b, int64_t limit, int64_t offset, const fl_sort_key *keys, int32_t n_keys,
                           const fl_node **node)
{
    fl_status st = FL_OK;
    fl_agg functions[2];
    const fl_node *input = (*node)->op == &fl_op_sort ? (*node)->inputs[0] : *node, *numbered;
    const fl_expr *bound;
    fl_value last = {.type = FL_TYPE(FL_I64), .i = limit > INT64_MAX - offset ? INT64_MAX : limit + offset};
    FL_TRY(fl_sql_make_over(b, fl_window_find(FL_STR("rank")), &functions[0]));
    FL_TRY(fl_sql_make_over(b, fl_window_find(FL_STR("row_number")), &functions[1]));
    fl_window_attrs attrs = {
        .n_order = n_keys, .order = keys, .n_functions = offset > 0 ? 2 : 1, .functions = functions, .limit = -1};
    FL_TRY(fl_window_build(b->plan, input, &attrs, &numbered, b->err));
    FL_TRY(fl_expr_const(b->plan, &last, -1, &bound, b->err));
    FL_TRY(keep_rows(b, numbered, functions[1].out, offset, functions[0].out, bound, keys, n_keys, node));
cleanup:
    return st;
}

/* LIMIT n%: row_number() <= floor(count(*) * n / 100) + offset. */
fl_status fl_sql_keep_share(binder *b, double percent, int64_t offset, const fl_sort_key *keys, int32_t n_keys,
                            const fl_node **node)
{
    fl_status st = FL_OK;
    fl_agg number, count;
    const fl_node *input = (*node)->op == &fl_op_sort ? (*node)->inputs[0] : *node, *numbered;
    const fl_expr *total, *share, *skipped, *bound;
    fl_value share_value = {.type = FL_TYPE(FL_F64), .f = percent / 100};
    fl_value offset_value = {.type = FL_TYPE(FL_F64), .f = (double)offset};
    FL_TRY(fl_sql_make_over(b, fl_window_find(FL_STR("row_number")), &number));
    FL_TRY(fl_sql_make_over(b, fl_registry_agg(b->env->registry, FL_STR("count")), &count));
    fl_window_attrs numbers = {.n_order = n_keys, .order = keys, .n_functions = 1, .functions = &number, .limit = -1};
    fl_window_attrs counts = {.n_functions = 1, .functions = &count, .limit = -1};
    FL_TRY(fl_window_build(b->plan, input, &numbers, &numbered, b->err));
    FL_TRY(fl_window_build(b->plan, numbered, &counts, &numbered, b->err));
    FL_TRY(fl_expr_column(b->plan, count.out, -1, &total, b->err));
    FL_TRY(fl_expr_cast(b->plan, total, FL_TYPE(FL_F64), false, -1, &total, b->err));
    FL_TRY(fl_expr_const(b->plan, &share_value, -1, &share, b->err));
    FL_TRY(fl_expr_const(b->plan, &offset_value, -1, &skipped, b->err));
    FL_TRY(fl_expr_call_args(b->plan, "*", -1, &bound, b->err, 2, total, share));
    FL_TRY(fl_expr_call_args(b->plan, "floor", -1, &bound, b->err, 1, bound));
    FL_TRY(fl_expr_call_args(b->plan, "+", -1, &bound, b->err, 2, bound, skipped));
    FL_TRY(keep_rows(b, numbered, number.out, offset, number.out, bound, keys, n_keys, node));
cleanup:
    return st;
}

fl_status fl_sql_bind_limit(binder *b, scope *outer, const fl_ast_query *ast, const fl_sort_key *keys, int32_t n_keys,
                            const fl_node **node)
{
    fl_status st = FL_OK;
    int64_t limit = -1, offset;
    double percent = -1;
    if (ast->is_percent)
        FL_TRY(bind_percent(b, outer, ast->limit, &percent));
    else
        FL_TRY(bind_count(b, outer, ast->limit, "LIMIT", &limit));
    FL_TRY(bind_count(b, outer, ast->offset, "OFFSET", &offset));
    offset = offset < 0 ? 0 : offset;
    if (percent >= 0)
        FL_TRY(fl_sql_keep_share(b, percent, offset, keys, n_keys, node));
    else if (limit > 0 && ast->has_ties) /* no rows have no ties */
        FL_TRY(keep_ties(b, limit, offset, keys, n_keys, node));
    else if (limit >= 0 || offset > 0)
        FL_TRY(fl_limit_build(b->plan, *node, limit, offset, node, b->err));
cleanup:
    return st;
}
