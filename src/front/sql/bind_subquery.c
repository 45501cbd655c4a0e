/* Subqueries in expressions: scalar, EXISTS, IN, ANY, ALL. They stay expressions with a plan inside, whose outer columns
 * occur free in it, until the optimizer unnests them. */
#include "front/sql/bind.h"

#include "op/aggregate/node.h"
#include "op/project/node.h"
#include "op/sort/node.h"

/* Where a side has a collation, both give the keys that texts are compared by. */
static fl_status collate_sides(binder *b, output *out, const fl_expr **left, int32_t pos)
{
    fl_status st = FL_OK;
    bool is_any = false;
    const fl_expr **rights = NULL;
    fl_str *names = NULL;
    fl_col_id *cols = NULL;
    FL_TRY(FL_NEW_ARRAY(b->arena, out->n_cols + 1, &rights, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, out->n_cols + 1, &names, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, out->n_cols + 1, &cols, b->err));
    for (int32_t i = 0; i < out->n_cols; i++) {
        const fl_expr *right, *sides[2];
        FL_TRY(fl_expr_column(b->plan, out->cols[i].col, out->cols[i].pos, &right, b->err));
        sides[0] = left[i];
        sides[1] = right;
        FL_TRY(fl_sql_collate_all(b, sides, 2, pos));
        left[i] = sides[0];
        rights[i] = sides[1];
        names[i] = out->cols[i].name;
        is_any |= sides[1] != right;
    }
    if (!is_any)
        return FL_OK;
    FL_TRY(fl_project_build(b->plan, out->root, rights, names, out->n_cols, cols, &out->root, b->err));
    for (int32_t i = 0; i < out->n_cols; i++)
        out->cols[i].col = cols[i];
    st = fl_sql_output_exact(b, out); /* columns that are passed do not stand where they were written */
cleanup:
    return st;
}

/* IN and ANY over rows compare column by column: types must meet, which the comparison itself knows best. */
static fl_status check_sides(binder *b, const fl_subquery *subquery, const output *out, fl_ast_op op, int32_t pos,
                             const fl_expr **left)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < subquery->n_left; i++) {
        const fl_expr *right, *test;
        FL_TRY(fl_expr_column(b->plan, out->cols[i].col, out->cols[i].pos, &right, b->err));
        if ((left[i]->flags & FL_EXPR_UNTYPED) || left[i]->type.id == FL_NULL)
            FL_TRY(fl_expr_cast_beside(b->plan, left[i], right->type, &left[i], b->err));
        FL_TRY(fl_sql_compare(b, op, left[i], right, pos, &test));
    }
cleanup:
    return st;
}

/* The left side: one expression, or a row of them. */
static fl_status bind_left(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr ***ret, int32_t *ret_n)
{
    fl_status st = FL_OK;
    bool is_row = ast->kind == FL_AST_ROW;
    *ret_n = is_row ? ast->list.count : 1;
    FL_TRY(FL_NEW_ARRAY(b->arena, *ret_n, ret, b->err));
    for (int32_t i = 0; i < *ret_n; i++)
        FL_TRY(fl_sql_bind_expr(b, s, is_row ? ast->list.items[i] : ast, &(*ret)[i]));
cleanup:
    return st;
}

static fl_status bind_in_query(binder *b, scope *s, const fl_ast_expr *ast, output *out, fl_subquery *subquery)
{
    fl_status st = FL_OK;
    const fl_expr **left;
    fl_ast_op op = (fl_ast_op)ast->op;
    subquery->kind = ast->flag ? FL_SUBQUERY_ALL : FL_SUBQUERY_ANY;
    if (ast->kind == FL_AST_IN_QUERY) {
        op = ast->is_negated ? FL_AST_OP_NE : FL_AST_OP_EQ;
        subquery->kind = ast->is_negated ? FL_SUBQUERY_ALL : FL_SUBQUERY_ANY;
    }
    FL_TRY(bind_left(b, s, ast->sub.left, &left, &subquery->n_left));
    if (out->n_cols != subquery->n_left)
        return fl_sql_bind_fail(b, ast->at, FL_ERR_SYNTAX, "the subquery has %d columns, %d wanted", out->n_cols,
                                subquery->n_left);
    FL_TRY(collate_sides(b, out, left, ast->at));
    FL_TRY(check_sides(b, subquery, out, op, ast->at, left));
    subquery->left = left;
    subquery->compare = fl_sql_op_name(op);
cleanup:
    return st;
}

fl_status fl_sql_bind_row_query(binder *b, scope *s, const fl_ast_expr *ast, int32_t n, const fl_expr **ret)
{
    fl_status st = FL_OK;
    output out;
    const fl_expr **values = NULL, *row = NULL, *whole = NULL;
    fl_str name = FL_STR("row");
    fl_col_id col;
    FL_TRY(fl_sql_bind_query(b, s, s->ctes, ast->sub.query, &out));
    FL_TRY(fl_sql_output_exact(b, &out));
    if (out.n_cols != n)
        return fl_sql_bind_fail(b, ast->start, FL_ERR_SYNTAX, "the subquery has %d columns, %d wanted", out.n_cols, n);
    FL_TRY(FL_NEW_ARRAY(b->arena, n, &values, b->err));
    for (int32_t i = 0; i < n; i++)
        FL_TRY(fl_expr_column(b->plan, out.cols[i].col, ast->start, &values[i], b->err));
    FL_TRY(fl_expr_struct(b->plan, NULL, values, n, ast->start, &row, b->err));
    FL_TRY(fl_project_build(b->plan, out.root, &row, &name, 1, &col, &out.root, b->err));
    fl_subquery subquery = {.kind = FL_SUBQUERY_SCALAR, .query = out.root};
    FL_TRY(fl_expr_subquery(b->plan, &subquery, ast->start, &whole, b->err));
    for (int32_t i = 0; i < n; i++)
        FL_TRY(fl_expr_field(b->plan, whole, row->type.fields[i].name, ast->start, &ret[i], b->err));
cleanup:
    return st;
}

/* coalesce((SELECT array_agg(x ORDER BY keys) FROM query), []): a list of no values is empty, not null. */
fl_status fl_sql_bind_array_query(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    output out;
    fl_agg agg;
    const fl_expr *value, *list, *cases[3];
    const fl_sort_key *keys = NULL;
    int32_t n_keys = 0;
    FL_TRY(fl_sql_bind_query(b, s, s->ctes, ast->sub.query, &out));
    if (out.n_cols != 1)
        return fl_sql_bind_fail(b, ast->start, FL_ERR_SYNTAX, "the query of ARRAY has one column, this has %d",
                                out.n_cols);
    if (out.root->op == &fl_op_sort) {
        keys = fl_sort_of(out.root)->keys;
        n_keys = fl_sort_of(out.root)->n_keys;
        out.root = out.root->inputs[0];
    }
    FL_TRY(fl_expr_column(b->plan, out.cols[0].col, ast->start, &value, b->err));
    FL_TRY(fl_agg_make(b->plan, FL_STR("array_agg"), &value, 1, false, NULL, keys, n_keys, ast->start, &agg, b->err));
    FL_TRY(fl_aggregate_build(b->plan, out.root, NULL, NULL, 0, &agg, 1, NULL, &out.root, b->err));
    fl_subquery subquery = {.kind = FL_SUBQUERY_SCALAR, .query = out.root};
    FL_TRY(fl_expr_subquery(b->plan, &subquery, ast->start, &list, b->err));
    fl_value none = {.type = list->type};
    FL_TRY(fl_expr_is_null(b->plan, list, ast->start, &cases[0], b->err));
    FL_TRY(fl_expr_const(b->plan, &none, ast->start, &cases[1], b->err));
    cases[2] = list;
    FL_TRY(fl_expr_case(b->plan, cases, 3, ast->start, ret, b->err));
cleanup:
    return st;
}

fl_status fl_sql_bind_subquery(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    output out;
    fl_subquery subquery = {.kind = FL_SUBQUERY_EXISTS};
    FL_TRY(fl_sql_bind_query(b, s, s->ctes, ast->sub.query, &out));
    if (ast->kind != FL_AST_EXISTS)
        FL_TRY(fl_sql_output_exact(b, &out));
    subquery.query = out.root;
    if (ast->kind == FL_AST_SUBQUERY) {
        subquery.kind = FL_SUBQUERY_SCALAR;
        if (out.n_cols != 1)
            return fl_sql_bind_fail(b, ast->start, FL_ERR_SYNTAX, "a subquery as a value has one column, this has %d",
                                    out.n_cols);
    } else if (ast->kind != FL_AST_EXISTS) {
        FL_TRY(bind_in_query(b, s, ast, &out, &subquery));
        subquery.query = out.root;
    }
    FL_TRY(fl_expr_subquery(b->plan, &subquery, ast->start, ret, b->err));
cleanup:
    return st;
}
