/* Queries: WITH, set operations, VALUES, and ORDER BY over them. */
#include "front/sql/bind_statement.h"

#include "op/project/node.h"
#include "op/set_op/node.h"
#include "op/sort/node.h"
#include "op/values/node.h"

/* ---- outputs ---- */

fl_status fl_sql_output_exact(binder *b, output *out)
{
    fl_status st = FL_OK;
    const fl_expr **exprs = NULL;
    fl_str *names = NULL;
    fl_col_id *cols = NULL;
    fl_col_set seen;
    bool is_exact = out->root->n_cols == out->n_cols;
    for (int32_t i = 0; is_exact && i < out->n_cols; i++)
        is_exact = fl_col_is_equal(out->root->cols[i], out->cols[i].col);
    if (is_exact)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(b->arena, out->n_cols + 1, &exprs, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, out->n_cols + 1, &names, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, out->n_cols + 1, &cols, b->err));
    fl_col_set_init(&seen);
    for (int32_t i = 0; i < out->n_cols; i++) {
        out_col *col = &out->cols[i];
        names[i] = col->name;
        FL_TRY(fl_expr_column(b->plan, col->col, col->pos, &exprs[i], b->err));
        if (fl_col_set_has(&seen, col->col)) {
            /* The same column again needs an id of its own: a computed column whose value it is. */
            const fl_expr *cases[3] = {NULL, exprs[i], NULL};
            FL_TRY(fl_sql_expr_bool(b, true, col->pos, &cases[0]));
            FL_TRY(fl_expr_case(b->plan, cases, 3, col->pos, &exprs[i], b->err));
            for (int32_t k = 0; k < i; k++)
                if (exprs[k] == exprs[i])
                    FL_TRY(fl_expr_case(b->plan, (const fl_expr *[]){cases[0], exprs[i], NULL}, 3, col->pos, &exprs[i],
                                        b->err));
        }
        FL_TRY(fl_col_set_add(fl_plan_arena(b->plan), &seen, col->col, b->err));
    }
    FL_TRY(fl_project_build(b->plan, out->root, exprs, names, out->n_cols, cols, &out->root, b->err));
    for (int32_t i = 0; i < out->n_cols; i++)
        out->cols[i].col = cols[i];
cleanup:
    return st;
}

/* ---- set operations ---- */

/* The first thing that a body puts out: where a fault of its columns is shown. */
static int32_t start_of(const fl_ast_body *body)
{
    switch (body->kind) {
    case FL_AST_BODY_SELECT:
        return body->select->items[0].expr->start;
    case FL_AST_BODY_SET:
        return start_of(body->set->inputs[0]);
    case FL_AST_BODY_QUERY:
        return start_of(body->query->body);
    default:
        return body->start;
    }
}

/* Gives literals of one input the types that the others have. */
static fl_status type_literals(binder *b, output *out, const fl_type *types)
{
    fl_status st = FL_OK;
    const fl_expr **exprs = NULL;
    fl_str *names = NULL;
    fl_col_id *cols = NULL;
    bool any = false;
    for (int32_t i = 0; i < out->n_cols; i++)
        any |= out->cols[i].literal != NULL &&
               ((types[i].id != FL_NULL && types[i].id != FL_UTF8) || out->cols[i].col.n == 0);
    if (!any)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(b->arena, out->n_cols + 1, &exprs, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, out->n_cols + 1, &names, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, out->n_cols + 1, &cols, b->err));
    for (int32_t i = 0; i < out->n_cols; i++) {
        const out_col *col = &out->cols[i];
        names[i] = col->name;
        if (col->col.n == 0 && types[i].id == FL_NULL) /* a column that none but literals make */
            FL_TRY(fl_expr_cast_beside(b->plan, col->literal, FL_TYPE(FL_UTF8), &exprs[i], b->err));
        else if (col->literal != NULL && types[i].id != FL_NULL)
            FL_TRY(fl_expr_cast_beside(b->plan, col->literal, types[i], &exprs[i], b->err));
        else
            FL_TRY(fl_expr_column(b->plan, col->col, col->pos, &exprs[i], b->err));
    }
    FL_TRY(fl_project_build(b->plan, out->root, exprs, names, out->n_cols, cols, &out->root, b->err));
    for (int32_t i = 0; i < out->n_cols; i++)
        out->cols[i].col = cols[i];
cleanup:
    return st;
}

/* The common type of each column among the inputs that are no bare literals there. */
static fl_status common_types(binder *b, const output *inputs, int32_t n, fl_type *types)
{
    for (int32_t c = 0; c < inputs[0].n_cols; c++) {
        types[c] = FL_TYPE(FL_NULL);
        for (int32_t i = 0; i < n; i++) {
            const out_col *col = &inputs[i].cols[c];
            fl_type common;
            if (col->literal != NULL)
                continue;
            fl_type here = fl_plan_col(b->plan, col->col)->type;
            if (!fl_type_common_in(b->arena, types[c], here, &common))
                return fl_sql_bind_fail(b, col->pos, FL_ERR_TYPE,
                                        "column %d of the set operation has types %s and %s, which have no common type",
                                        c + 1, FL_TYPE_NAME(types[c]), FL_TYPE_NAME(here));
            types[c] = common;
        }
    }
    return FL_OK;
}

/* left `op` right, column by column. */
static fl_status combine_two(binder *b, const fl_ast_set *ast, bool is_all, const output *left, const output *right,
                             output *ret)
{
    fl_status st = FL_OK;
    int32_t n = left->n_cols;
    fl_col_id *cols = NULL, *left_cols, *right_cols;
    fl_set_op_kind kind = ast->op == FL_AST_UNION ? FL_UNION : ast->op == FL_AST_EXCEPT ? FL_EXCEPT : FL_INTERSECT;
    output made = {.n_cols = n};
    FL_TRY(FL_NEW_ARRAY(b->arena, n * 3 + 1, &cols, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &made.cols, b->err));
    left_cols = cols + n;
    right_cols = left_cols + n;
    for (int32_t c = 0; c < n && !(kind == FL_UNION && is_all); c++)
        FL_TRY(fl_sql_refuse_collated(b, &left->cols[c], "set operations but UNION ALL"));
    for (int32_t c = 0; c < n; c++) {
        left_cols[c] = left->cols[c].col;
        right_cols[c] = right->cols[c].col;
    }
    FL_TRY(fl_set_op_build(b->plan, kind, is_all, left->root, left_cols, right->root, right_cols, n, cols, &made.root,
                           b->err));
    for (int32_t c = 0; c < n; c++)
        made.cols[c] = (out_col){.name = left->cols[c].name, .col = cols[c], .pos = left->cols[c].pos};
    *ret = made;
cleanup:
    return st;
}

/* UNION and INTERSECT associate, so that a long chain becomes a flat tree: halves recurse, links do not. Of a chain of UNION
 * only the last one looks for equal rows. EXCEPT goes from left to right. */
static fl_status combine(binder *b, const fl_ast_set *ast, bool is_all, const output *inputs, int32_t n, output *ret)
{
    fl_status st = FL_OK;
    output left, right;
    if (n == 1) {
        *ret = inputs[0];
        return FL_OK;
    }
    if (ast->op == FL_AST_EXCEPT) {
        left = inputs[0];
        for (int32_t i = 1; i < n; i++)
            FL_TRY(combine_two(b, ast, is_all, &left, &inputs[i], &left));
        *ret = left;
        return FL_OK;
    }
    bool is_inner_all = is_all || ast->op == FL_AST_UNION;
    FL_TRY(combine(b, ast, is_inner_all, inputs, n - n / 2, &left));
    FL_TRY(combine(b, ast, is_inner_all, inputs + (n - n / 2), n / 2, &right));
    FL_TRY(combine_two(b, ast, is_all, &left, &right, ret));
cleanup:
    return st;
}

/* ---- VALUES ---- */

/* Rows that read outer columns or hold subqueries are tables of one row each: what makes plans free of these knows such. */
static fl_status union_of_rows(binder *b, const fl_expr *const *exprs, int32_t n_rows, int32_t n_cols,
                               const fl_str *names, int32_t pos, output *ret)
{
    static const fl_ast_set whole = {.op = FL_AST_UNION, .is_all = true};
    fl_status st = FL_OK;
    output *rows = NULL;
    fl_type *types = NULL;
    FL_TRY(FL_NEW_ARRAY(b->arena, n_rows, &rows, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_cols + 1, &types, b->err));
    for (int32_t r = 0; r < n_rows; r++) {
        const fl_expr *const *row = exprs + (int64_t)r * n_cols;
        FL_TRY(fl_values_build(b->plan, row, 1, n_cols, names, &rows[r].root, b->err));
        FL_TRY(FL_NEW_ARRAY(b->arena, n_cols + 1, &rows[r].cols, b->err));
        rows[r].n_cols = n_cols;
        for (int32_t c = 0; c < n_cols; c++)
            rows[r].cols[c] = (out_col){.name = names[c],
                                        .col = fl_values_of(rows[r].root)->cols[c],
                                        .pos = pos,
                                        .literal = row[c]->flags & FL_EXPR_UNTYPED ? row[c] : NULL};
    }
    FL_TRY(common_types(b, rows, n_rows, types));
    for (int32_t r = 0; r < n_rows; r++)
        FL_TRY(type_literals(b, &rows[r], types));
    FL_TRY(combine(b, &whole, true, rows, n_rows, ret));
cleanup:
    return st;
}

static fl_status bind_values(binder *b, scope *outer, cte *ctes, const fl_ast_values *ast, int32_t pos, output *ret)
{
    fl_status st = FL_OK;
    int32_t n_cols = ast->column_count;
    const fl_expr **exprs = NULL;
    fl_str *names = NULL;
    scope s;
    fl_sql_scope_init(&s, outer, CLAUSE_VALUES);
    s.ctes = ctes;
    FL_TRY(FL_NEW_ARRAY(b->arena, (int64_t)ast->row_count * n_cols + 1, &exprs, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_cols + 1, &names, b->err));
    bool is_constant = true;
    for (int32_t r = 0; r < ast->row_count; r++) {
        for (int32_t c = 0; c < n_cols; c++) {
            const fl_expr **expr = &exprs[(int64_t)r * n_cols + c];
            FL_TRY(fl_sql_bind_expr(b, &s, ast->rows[r]->list.items[c], expr));
            is_constant &= !((*expr)->flags & (FL_EXPR_HAS_COLUMN | FL_EXPR_HAS_SUBQUERY));
        }
    }
    for (int32_t c = 0; c < n_cols; c++)
        FL_TRY(fl_arena_format(b->arena, &names[c], b->err, "column%d", c + 1));
    if (!is_constant && ast->row_count > 1)
        return union_of_rows(b, exprs, ast->row_count, n_cols, names, pos, ret);
    FL_TRY(fl_values_build(b->plan, exprs, ast->row_count, n_cols, names, &ret->root, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_cols + 1, &ret->cols, b->err));
    ret->n_cols = n_cols;
    for (int32_t c = 0; c < n_cols; c++)
        ret->cols[c] = (out_col){.name = names[c], .col = fl_values_of(ret->root)->cols[c], .pos = pos};
cleanup:
    return st;
}

/* The names of all inputs, each once, in the order in which they come up; places[i] is where the map has it. */
static fl_status collect_names(binder *b, const output *inputs, int32_t n, fl_name_map *places, out_col **ret)
{
    fl_status st = FL_OK;
    int32_t n_cols = 0, room = 0;
    for (int32_t i = 0; i < n; i++)
        room += inputs[i].n_cols;
    fl_name_map_init(places, b->arena);
    FL_TRY(FL_NEW_ARRAY(b->arena, room + 1, ret, b->err));
    for (int32_t i = 0; i < n; i++) {
        fl_name_map own;
        fl_name_map_init(&own, b->arena);
        for (int32_t c = 0; c < inputs[i].n_cols; c++) {
            const out_col *col = &inputs[i].cols[c];
            int32_t known;
            FL_TRY(fl_name_map_add(&own, col->name, c, &known, b->err));
            if (known >= 0)
                return fl_sql_bind_fail_state(b, col->pos, FL_ERR_DUPLICATE, "42701",
                                              "UNION BY NAME: a side has two columns \"%.*s\"", FL_STR_ARG(col->name));
            FL_TRY(fl_name_map_add(places, col->name, n_cols, &known, b->err));
            if (known < 0)
                (*ret)[n_cols++] = *col;
        }
    }
cleanup:
    return st;
}

/* UNION BY NAME: gives all inputs the columns of all, null where one has none of the name. */
static fl_status align_by_name(binder *b, output *inputs, int32_t n)
{
    fl_status st = FL_OK;
    fl_name_map places;
    out_col *all;
    const fl_expr *null;
    fl_value none = {.type = FL_TYPE(FL_NULL), .is_null = true};
    FL_TRY(collect_names(b, inputs, n, &places, &all));
    int32_t n_cols = (int32_t)places.n;
    FL_TRY(fl_expr_untyped(b->plan, &none, -1, &null, b->err));
    for (int32_t i = 0; i < n; i++) {
        out_col *cols;
        FL_TRY(FL_NEW_ARRAY(b->arena, n_cols + 1, &cols, b->err));
        for (int32_t c = 0; c < n_cols; c++)
            cols[c] = (out_col){.name = all[c].name, .literal = null, .pos = all[c].pos};
        for (int32_t c = 0; c < inputs[i].n_cols; c++) {
            int32_t at = fl_name_map_find(&places, inputs[i].cols[c].name);
            cols[at] = inputs[i].cols[c];
            cols[at].name = all[at].name;
        }
        inputs[i].cols = cols;
        inputs[i].n_cols = n_cols;
    }
cleanup:
    return st;
}

fl_status fl_sql_bind_set_of(binder *b, scope *outer, cte *ctes, const fl_ast_set *ast, int32_t n, output *ret)
{
    static const char *const words[] = {"UNION", "INTERSECT", "EXCEPT"};
    fl_status st = FL_OK;
    output *inputs = NULL;
    fl_type *types = NULL;
    FL_TRY(FL_NEW_ARRAY(b->arena, n, &inputs, b->err));
    for (int32_t i = 0; i < n; i++) {
        FL_TRY(fl_sql_bind_query_body(b, outer, ctes, ast->inputs[i], &inputs[i]));
        if (inputs[i].n_cols != inputs[0].n_cols && !ast->is_by_name)
            return fl_sql_bind_fail(b, start_of(ast->inputs[i]), FL_ERR_SYNTAX,
                                    "the sides of %s have %d and %d columns", words[ast->op], inputs[0].n_cols,
                                    inputs[i].n_cols);
    }
    if (ast->is_by_name)
        FL_TRY(align_by_name(b, inputs, n));
    FL_TRY(FL_NEW_ARRAY(b->arena, inputs[0].n_cols + 1, &types, b->err));
    FL_TRY(common_types(b, inputs, n, types));
    for (int32_t i = 0; i < n; i++)
        FL_TRY(type_literals(b, &inputs[i], types));
    if (ast->op == FL_AST_EXCEPT && n > QUERY_DEPTH_MAX)
        return fl_sql_bind_fail_state(b, inputs[QUERY_DEPTH_MAX].cols[0].pos, FL_ERR_LIMIT, "54001",
                                      "more than %d queries behind each other in EXCEPT", QUERY_DEPTH_MAX);
    FL_TRY(combine(b, ast, ast->is_all, inputs, n, ret));
cleanup:
    return st;
}

fl_status fl_sql_bind_query_body(binder *b, scope *outer, cte *ctes, const fl_ast_body *ast, output *ret)
{
    static const fl_ast_query no_tail = {0};
    switch (ast->kind) {
    case FL_AST_BODY_SELECT:
        return fl_sql_bind_select(b, outer, ctes, ast->select, &no_tail, ret);
    case FL_AST_BODY_VALUES:
        return bind_values(b, outer, ctes, ast->values, ast->start, ret);
    case FL_AST_BODY_SET:
        return fl_sql_bind_set_of(b, outer, ctes, ast->set, ast->set->input_count, ret);
    case FL_AST_BODY_QUERY:
        return fl_sql_bind_query(b, outer, ctes, ast->query, ret);
    case FL_AST_BODY_SUMMARIZE:
        return fl_sql_bind_summarize(b, outer, ctes, ast, ret);
    }
    return fl_sql_bind_fail(b, ast->start, FL_ERR_INTERNAL, "a query of unknown kind %d", (int)ast->kind);
}

/* ---- ORDER BY ---- */

/* ORDER BY behind anything but a SELECT: its keys see the output columns only. */
static fl_status order_output(binder *b, scope *outer, cte *ctes, const fl_ast_query *ast, output *out,
                              const fl_sort_key **ret_keys, int32_t *ret_n)
{
    fl_status st = FL_OK;
    scope s;
    fl_str *names = NULL;
    fl_col_id *cols = NULL, *key_cols = NULL;
    const fl_expr **exprs = NULL;
    fl_sort_key *keys = NULL;
    sort_list sorts = {0};
    fl_sql_scope_init(&s, outer, CLAUSE_SET_ORDER);
    s.ctes = ctes;
    FL_TRY(FL_NEW_ARRAY(b->arena, out->n_cols + 1, &names, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, out->n_cols + 1, &cols, b->err));
    for (int32_t i = 0; i < out->n_cols; i++) {
        names[i] = out->cols[i].name;
        cols[i] = out->cols[i].col;
    }
    FL_TRY(fl_sql_scope_add_table(b, &s, (fl_str){0}, (fl_str){0}, names, cols, out->n_cols, ast->start));
    if (!ast->order_all)
        FL_TRY(fl_sql_expand_orders(b, &s, ast->order, ast->order_count, &sorts));
    int32_t n = ast->order_all ? out->n_cols : sorts.n;
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &exprs, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &key_cols, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &keys, b->err));
    for (int32_t i = 0; i < n; i++) {
        const fl_ast_order *order = ast->order_all ? &ast->order[0] : &sorts.orders[i];
        s.picked = ast->order_all ? NULL : sorts.picked[i];
        int32_t ordinal = i + 1;
        if (!ast->order_all)
            FL_TRY(fl_sql_bind_ordinal(b, order->expr, "ORDER BY", out->n_cols, &ordinal));
        if (ordinal > 0)
            FL_TRY(fl_expr_column(b->plan, cols[ordinal - 1], order->start, &exprs[i], b->err));
        else
            FL_TRY(fl_sql_bind_expr(b, &s, order->expr, &exprs[i]));
        FL_TRY(fl_sql_collate_key(b, &exprs[i]));
        keys[i].is_descending = order->is_descending;
        keys[i].nulls_first = fl_sql_nulls_first(b, order);
    }
    FL_TRY(fl_project_extend(b->plan, out->root, exprs, NULL, n, key_cols, &out->root, b->err));
    for (int32_t i = 0; i < n; i++)
        FL_TRY(fl_expr_column(b->plan, key_cols[i], -1, &keys[i].expr, b->err));
    FL_TRY(fl_sort_build(b->plan, out->root, keys, n, &out->root, b->err));
    *ret_keys = keys;
    *ret_n = n;
cleanup:
    return st;
}

/* ---- WITH, and the whole ---- */

fl_status fl_sql_enter_ctes(binder *b, scope *outer, const fl_ast_query *ast, cte **ctes)
{
    fl_status st = FL_OK;
    fl_name_map names;
    fl_name_map_init(&names, b->arena);
    for (int32_t i = 0; i < ast->cte_count; i++) {
        cte *made;
        fl_str name = ast->ctes[i].name.text;
        int32_t known = -1;
        FL_TRY(fl_name_map_add(&names, name, i, &known, b->err));
        if (known >= 0)
            return fl_sql_bind_fail_state(b, ast->ctes[i].name.start, FL_ERR_DUPLICATE, "42712",
                                          "WITH names \"%.*s\" twice", FL_STR_ARG(name));
        FL_TRY(FL_NEW(b->arena, &made, b->err));
        *made = (cte){.next = *ctes,
                      .ast = &ast->ctes[i],
                      .name_hash = fl_name_hash(name),
                      .outer = outer,
                      .is_recursive = ast->is_recursive};
        *ctes = made;
    }
cleanup:
    return st;
}

/* A table expression that nothing reads is bound for its faults alone. */
static fl_status check_unused(binder *b, const fl_ast_query *ast, cte *ctes)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < ast->cte_count; i++, ctes = ctes->next) {
        output out;
        if (!ctes->is_used && ctes->ast->change == NULL)
            FL_TRY(ctes->is_recursive ? fl_sql_bind_recursive(b, ctes, &out)
                                      : fl_sql_bind_query(b, ctes->outer, ctes->next, ctes->ast->query, &out));
    }
cleanup:
    return st;
}

fl_status fl_sql_bind_query(binder *b, scope *outer, cte *ctes, const fl_ast_query *ast, output *ret)
{
    fl_status st = FL_OK;
    if (b->query_depth >= QUERY_DEPTH_MAX)
        return fl_sql_bind_fail_state(b, ast->start, FL_ERR_LIMIT, "54001", "queries nested deeper than %d",
                                      QUERY_DEPTH_MAX);
    b->query_depth++;
    FL_TRY(fl_sql_enter_ctes(b, outer, ast, &ctes));
    if (ast->body->kind == FL_AST_BODY_SELECT) {
        FL_TRY(fl_sql_bind_select(b, outer, ctes, ast->body->select, ast, ret));
    } else {
        FL_TRY(fl_sql_bind_query_body(b, outer, ctes, ast->body, ret));
        const fl_sort_key *keys = NULL;
        int32_t n_keys = 0;
        if (ast->order_count > 0)
            FL_TRY(order_output(b, outer, ctes, ast, ret, &keys, &n_keys));
        FL_TRY(fl_sql_bind_limit(b, outer, ast, keys, n_keys, &ret->root));
    }
    FL_TRY(check_unused(b, ast, ctes));
    b->query_depth--;
cleanup:
    return st;
}
