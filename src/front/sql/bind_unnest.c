/* unnest: in FROM a table that is made of the row beside it, in a select list a column that multiplies the rows.
 *
 * Those of a select list are collected while its expressions are bound, as aggregates are: a call becomes a reference to
 * the column of its elements. They go in step, longest first to end, above grouping and HAVING and below the projection
 * that computes the list; but below the grouping where a key of GROUP BY reads them. */
#include "front/sql/bind.h"

#include "op/unnest/node.h"
#include "op/values/node.h"

static fl_status check_list(binder *b, const fl_expr *list, int32_t pos)
{
    if (list->type.id == FL_LIST)
        return FL_OK;
    return fl_sql_bind_fail(b, pos, FL_ERR_FUNCTION, "unnest takes lists, not %s",
                            list->flags & FL_EXPR_UNTYPED ? "an untyped value" : FL_TYPE_NAME(list->type));
}

static fl_status check_plain(binder *b, const fl_ast_call *call, int32_t pos)
{
    if (call->is_star || call->is_distinct || call->order_count > 0 || call->filter != NULL || call->arg_count == 0)
        return fl_sql_bind_fail(b, pos, FL_ERR_FUNCTION,
                                "unnest takes lists, without *, DISTINCT, ORDER BY and FILTER");
    for (int32_t i = 0; i < call->arg_count; i++)
        if (call->args[i].name.text.len > 0)
            return fl_sql_bind_fail(b, call->args[i].name.start, FL_ERR_FUNCTION,
                                    "function unnest takes its arguments by place, not by name");
    return FL_OK;
}

/* ---- select lists -------------------------------------------------------------------------------------------------- */

static fl_status fail_misplaced(binder *b, const char *place, int32_t pos)
{
    fl_status st = fl_sql_bind_fail(b, pos, FL_ERR_UNSUPPORTED, "unnest is not allowed in %s", place);
    fl_err_hint(b->err, "write FROM t, unnest(t.l) AS u(x)");
    return st;
}

fl_status fl_sql_refuse_unnest(binder *b, const scope *s, int32_t n_before, const char *place)
{
    return s->n_lists == n_before ? FL_OK : fail_misplaced(b, place, s->lists[n_before].pos);
}

static fl_status check_place(binder *b, const scope *s, int32_t pos)
{
    if (s->in_aggregate)
        return fail_misplaced(b, "an aggregate's call", pos);
    return s->clause == CLAUSE_SELECT || s->clause == CLAUSE_ORDER || s->clause == CLAUSE_GROUP
               ? FL_OK
               : fail_misplaced(b, "this place", pos);
}

fl_status fl_sql_bind_unnest(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_ast_call *call = ast->call;
    const fl_expr *list;
    FL_TRY(check_place(b, s, ast->start));
    FL_TRY(check_plain(b, call, ast->start));
    if (call->arg_count > 1)
        return fl_sql_bind_fail(b, ast->start, FL_ERR_FUNCTION, "unnest of several lists stands in FROM only");
    FL_TRY(fl_sql_bind_expr(b, s, call->args[0].value, &list));
    FL_TRY(check_list(b, list, call->args[0].value->start));
    st = fl_sql_unnest_list(b, s, list, FL_STR("unnest"), ast->start, ret);
cleanup:
    return st;
}

fl_status fl_sql_unnest_list(binder *b, scope *s, const fl_expr *list, fl_str name, int32_t pos, const fl_expr **ret)
{
    fl_status st = FL_OK;
    list_ref ref = {.pos = pos, .list = list};
    FL_TRY(check_place(b, s, pos));
    for (int32_t i = 0; i < s->n_lists; i++)
        if (s->lists[i].list == ref.list && !(ref.list->flags & FL_EXPR_VOLATILE))
            return fl_expr_column(b->plan, s->lists[i].col, pos, ret, b->err);
    FL_TRY(fl_unnest_add_col(b->plan, ref.list->type, name, &ref.col, b->err));
    FL_TRY(fl_sql_bind_grow(b, &s->lists, s->n_lists, &s->lists_capacity, sizeof(*s->lists)));
    s->lists[s->n_lists++] = ref;
    FL_TRY(fl_expr_column(b->plan, ref.col, pos, ret, b->err));
cleanup:
    return st;
}

static fl_status add_cols(binder *b, const fl_expr *const *exprs, int32_t n, fl_col_set *ret)
{
    fl_status st = FL_OK;
    fl_col_set_init(ret);
    for (int32_t i = 0; i < n; i++)
        FL_TRY(fl_expr_add_cols(fl_plan_arena(b->plan), exprs[i], ret, b->err));
cleanup:
    return st;
}

/* Marks the lists that the keys read, and those inside of these. */
static fl_status mark_keys(binder *b, scope *s, const fl_expr *const *keys, int32_t n_keys)
{
    fl_status st = FL_OK;
    fl_col_set used;
    FL_TRY(add_cols(b, keys, n_keys, &used));
    for (int32_t i = s->n_lists - 1; i >= 0; i--) { /* a list inside of another was bound before it */
        if (!fl_col_set_has(&used, s->lists[i].col))
            continue;
        s->lists[i].is_key = true;
        FL_TRY(fl_expr_add_cols(fl_plan_arena(b->plan), s->lists[i].list, &used, b->err));
    }
cleanup:
    return st;
}

/* Whether a list reads the elements of one that is not expanded yet: unnest(unnest(l)). */
static fl_status is_waiting(binder *b, const scope *s, const list_ref *ref, bool *ret)
{
    fl_status st = FL_OK;
    fl_col_set used;
    *ret = false;
    FL_TRY(add_cols(b, &ref->list, 1, &used));
    for (int32_t i = 0; i < s->n_lists; i++)
        *ret |= !s->lists[i].is_done && fl_col_set_has(&used, s->lists[i].col);
cleanup:
    return st;
}

static fl_status expand(binder *b, scope *s, bool keys_only, const fl_node **node)
{
    fl_status st = FL_OK;
    const fl_expr **lists = NULL;
    fl_col_id *cols = NULL;
    int32_t *taken = NULL, n;
    if (s->n_lists == 0)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(b->arena, s->n_lists, &lists, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, s->n_lists, &cols, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, s->n_lists, &taken, b->err));
    do {
        n = 0;
        for (int32_t i = 0; i < s->n_lists; i++) {
            list_ref *ref = &s->lists[i];
            bool waits = false;
            if (ref->is_done || (keys_only && !ref->is_key))
                continue;
            FL_TRY(is_waiting(b, s, ref, &waits));
            if (waits)
                continue;
            lists[n] = ref->list;
            cols[n] = ref->col;
            taken[n++] = i;
        }
        if (n > 0)
            FL_TRY(fl_unnest_build(b->plan, *node, lists, cols, n, (fl_col_id){0}, node, b->err));
        for (int32_t i = 0; i < n; i++)
            s->lists[taken[i]].is_done = true;
    } while (n > 0);
cleanup:
    return st;
}

fl_status fl_sql_expand_keys(binder *b, scope *s, const fl_expr *const *keys, int32_t n_keys, const fl_node **node)
{
    fl_status st = mark_keys(b, s, keys, n_keys);
    return st != FL_OK ? st : expand(b, s, true, node);
}

fl_status fl_sql_expand_lists(binder *b, scope *s, const fl_node **node)
{
    return expand(b, s, false, node);
}

/* ---- FROM ---------------------------------------------------------------------------------------------------------- */

fl_status fl_sql_bind_unnest_table(binder *b, scope *s, const fl_ast_table *ast, output *ret)
{
    fl_status st = FL_OK;
    const fl_ast_call *call = ast->call;
    int32_t n = call->arg_count;
    const fl_expr **lists = NULL;
    const fl_node *row = NULL;
    fl_col_id *cols = NULL, number = {0};
    /* The one column of an aliased unnest has the alias for its name, as PostgreSQL has it. */
    fl_str name = n == 1 && ast->alias.text.len > 0 ? ast->alias.text : FL_STR("unnest");
    FL_TRY(check_plain(b, call, ast->start));
    FL_TRY(FL_NEW_ARRAY(b->arena, n, &lists, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n, &cols, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &ret->cols, b->err));
    FL_TRY(fl_sql_bind_keep(b, name, &name));
    for (int32_t i = 0; i < n; i++) {
        FL_TRY(fl_sql_bind_expr(b, s, call->args[i].value, &lists[i]));
        FL_TRY(check_list(b, lists[i], call->args[i].value->start));
        fl_str named = name;
        if (i < ast->column_count)
            FL_TRY(fl_sql_bind_keep(b, ast->columns[i].text, &named));
        FL_TRY(fl_unnest_add_col(b->plan, lists[i]->type, named, &cols[i], b->err));
        ret->cols[ret->n_cols++] = (out_col){.name = name, .col = cols[i], .pos = ast->start};
    }
    if (ast->has_ordinality) {
        fl_col_info info = {.name = FL_STR("ordinality"), .type = FL_TYPE(FL_I64)};
        FL_TRY(fl_plan_add_col(b->plan, &info, &number, b->err));
        ret->cols[ret->n_cols++] = (out_col){.name = info.name, .col = number, .pos = ast->start};
    }
    FL_TRY(fl_values_build(b->plan, NULL, 1, 0, NULL, &row, b->err));
    FL_TRY(fl_unnest_build(b->plan, row, lists, cols, n, number, &ret->root, b->err));
cleanup:
    return st;
}
