/* Unnesting: the way from class to class, and what their parts have in common. */
#include "plan/unnesting.h"

#include "plan/rewrites.h"

bool fl_unnesting_is_needed(const fl_unnesting *u, const fl_node *node)
{
    return fl_col_set_meets(&node->outer, u->outer);
}

fl_status fl_unnesting_reads_outer(const fl_unnesting *u, const fl_expr *expr, bool *ret, fl_err *err)
{
    fl_col_set used;
    fl_col_set_init(&used);
    fl_status st = fl_expr_add_cols(fl_plan_arena(u->plan), expr, &used, err);
    *ret = st == FL_OK && fl_col_set_meets(&used, u->outer);
    return st;
}

/* ---- pulling up --------------------------------------------------------------------------------------------------- */

fl_status fl_unnesting_pull(fl_unnesting *u, const fl_node *node, bool missing_is_null, const fl_node **ret,
                            fl_err *err)
{
    const fl_op_rewrites *rewrites = fl_rewrites_of(node);
    *ret = NULL;
    if (!fl_unnesting_is_needed(u, node)) {
        *ret = node;
        return FL_OK;
    }
    return rewrites->pull == NULL ? FL_OK : rewrites->pull(u, node, missing_is_null, ret, err);
}

fl_status fl_unnesting_add_pulled(fl_unnesting *u, const fl_expr *conjunct, fl_err *err)
{
    if (u->n_pulled == u->pulled_capacity) {
        const fl_expr **grown = NULL;
        int64_t capacity = u->pulled_capacity == 0 ? 16 : u->pulled_capacity * 2;
        fl_status st = FL_NEW_ARRAY(fl_plan_arena(u->plan), capacity, &grown, err);
        if (st != FL_OK)
            return st;
        if (u->n_pulled > 0)
            memcpy(grown, u->pulled, (size_t)u->n_pulled * sizeof(*grown));
        u->pulled = grown;
        u->pulled_capacity = capacity;
    }
    u->pulled[u->n_pulled++] = conjunct;
    return FL_OK;
}

fl_status fl_unnesting_part(fl_unnesting *u, const fl_expr *const *conjuncts, int32_t n, const fl_expr **ret_kept,
                            int32_t *ret_n_kept, fl_err *err)
{
    fl_status st = FL_OK;
    *ret_n_kept = 0;
    for (int32_t i = 0; i < n; i++) {
        bool is_outer = false;
        FL_TRY(fl_unnesting_reads_outer(u, conjuncts[i], &is_outer, err));
        if (is_outer)
            FL_TRY(fl_unnesting_add_pulled(u, conjuncts[i], err));
        else
            ret_kept[(*ret_n_kept)++] = conjuncts[i];
    }
cleanup:
    return st;
}

fl_status fl_unnesting_pulled_cols(fl_unnesting *u, int32_t from, const fl_node *input, fl_col_id **ret, int32_t *ret_n,
                                   fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_set used;
    fl_col_set_init(&used);
    for (int32_t i = from; i < u->n_pulled; i++)
        FL_TRY(fl_expr_add_cols(fl_plan_arena(u->plan), u->pulled[i], &used, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(u->plan), input->n_cols + 1, ret, err));
    *ret_n = 0;
    for (int32_t i = 0; i < input->n_cols; i++)
        if (fl_col_set_has(&used, input->cols[i]))
            (*ret)[(*ret_n)++] = input->cols[i];
cleanup:
    return st;
}

/* ---- pushing down ------------------------------------------------------------------------------------------------- */

fl_status fl_unnesting_push(fl_unnesting *u, const fl_node *node, const fl_node **ret, fl_col_id *ret_cols, fl_err *err)
{
    const fl_op_rewrites *rewrites = fl_rewrites_of(node);
    if (!fl_unnesting_is_needed(u, node))
        return u->push_domain(u, node, ret, ret_cols, err);
    if (rewrites->push == NULL)
        return FL_FAIL(err, FL_ERR_UNSUPPORTED, "%s inside a correlated subquery is not supported yet", node->op->name);
    return rewrites->push(u, node, ret, ret_cols, err);
}

typedef struct renaming {
    const fl_unnesting *u;
    const fl_col_id *to;
} renaming;

static fl_status rename_one(void *ctx, fl_plan *plan, const fl_expr *expr, const fl_expr **ret, fl_err *err)
{
    const renaming *r = ctx;
    *ret = expr;
    if (expr->kind == FL_EXPR_COLUMN)
        for (int32_t i = 0; i < r->u->n_cols; i++)
            if (r->u->cols[i].n == expr->col.n)
                return fl_expr_column(plan, r->to[i], expr->pos, ret, err);
    return FL_OK;
}

fl_status fl_unnesting_rename(const fl_unnesting *u, const fl_col_id *to, const fl_expr *expr, const fl_expr **ret,
                              fl_err *err)
{
    renaming r = {u, to};
    return fl_expr_rewrite(u->plan, expr, rename_one, &r, ret, err);
}

fl_status fl_unnesting_push_rows(fl_unnesting *u, const fl_node *node, const fl_node **ret, fl_col_id *ret_cols,
                                 fl_err *err)
{
    fl_status st = FL_OK;
    const fl_op_desc *op = node->op;
    const fl_node *input = NULL;
    void *attrs = NULL;
    fl_expr_walk walk;
    fl_expr_walk_init(&walk, u->plan);
    FL_ASSERT(node->n_inputs == 1 && fl_rows_are(node, FL_ROWS_ALONE));
    FL_TRY(fl_unnesting_push(u, node->inputs[0], &input, ret_cols, err));
    FL_TRY(fl_arena_get(&walk.arena, op->attr_bytes, &attrs, err));
    memcpy(attrs, node->attrs, (size_t)op->attr_bytes);
    renaming r = {u, ret_cols};
    FL_TRY(fl_fields_rewrite_exprs(&walk, op->fields, op->n_fields, attrs, rename_one, &r, err));
    st = fl_node_make(u->plan, op, attrs, NULL, &input, 1, NULL, 0, ret, err);
cleanup:
    fl_expr_walk_drop(&walk);
    return st;
}

fl_status fl_unnesting_equate(const fl_unnesting *u, const fl_col_id *a, const fl_col_id *b, const fl_expr **ret,
                              fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < u->n_cols; i++) {
        const fl_expr *x = NULL, *y = NULL;
        FL_TRY(fl_expr_column(u->plan, a[i], -1, &x, err));
        FL_TRY(fl_expr_column(u->plan, b[i], -1, &y, err));
        FL_TRY(fl_expr_call_args(u->plan, "is_not_distinct_from", -1, &ret[i], err, 2, x, y));
    }
cleanup:
    return st;
}
