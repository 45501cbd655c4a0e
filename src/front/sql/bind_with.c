/* WITH: references to common table expressions. Most are bound anew at each reference, so that each place optimizes its
 * own. Those that must be computed once (volatile functions, MATERIALIZED) are bound once and read through materialize, and
 * so are those that group rows, unless NOT MATERIALIZED was written: they are dear, and small when they are done. Where one
 * reader is all there is, the rule eliminate_materialize inlines it after all. */
#include "front/sql/bind.h"

#include "op/materialize/node.h"
#include "op/scan/node.h"

/* ---- references ---- */

/* One more reader of a table expression that is computed once. */
static fl_status read_shared(binder *b, const cte *c, output *ret)
{
    fl_status st = FL_OK;
    fl_col_id *from = NULL, *cols = NULL;
    int32_t n = c->shared.n_cols;
    output made = {.n_cols = n};
    FL_TRY(FL_NEW_ARRAY(b->arena, n, &from, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n, &cols, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n, &made.cols, b->err));
    for (int32_t i = 0; i < n; i++)
        from[i] = c->shared.cols[i].col;
    FL_TRY(fl_materialize_build(b->plan, c->shared.root, c->ast->name.text, from, n, c->ast->is_materialized, cols,
                                &made.root, b->err));
    for (int32_t i = 0; i < n; i++)
        made.cols[i] = (out_col){.name = c->shared.cols[i].name, .col = cols[i], .pos = c->shared.cols[i].pos};
    *ret = made;
cleanup:
    return st;
}

/* The rows that a change returned. */
static fl_status scan_changed(binder *b, const cte *c, int32_t pos, output *ret)
{
    fl_status st = FL_OK;
    fl_table *table = NULL;
    fl_sql_env *env = b->env;
    if (env->get_changed == NULL)
        return fl_sql_bind_fail(b, pos, FL_ERR_UNSUPPORTED, "changes of rows in WITH have no place here");
    st = env->get_changed(env, c->ast->change, &table, b->err);
    if (st != FL_OK) {
        fl_err_at(b->err, c->ast->name.start);
        return st;
    }
    if (table->n_cols == 0) {
        st = fl_sql_bind_fail_state(b, pos, FL_ERR_UNSUPPORTED, "0A000", "\"%.*s\" has no RETURNING, and so no rows",
                                    FL_STR_ARG(c->ast->name.text));
        goto cleanup;
    }
    FL_TRY(fl_scan_build(b->plan, table, &ret->root, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, table->n_cols + 1, &ret->cols, b->err));
    ret->n_cols = table->n_cols;
    for (int32_t i = 0; i < table->n_cols; i++)
        ret->cols[i] = (out_col){.name = table->fields[i].name, .col = fl_scan_of(ret->root)->cols[i], .pos = pos};
cleanup:
    fl_table_unref(table);
    return st;
}

fl_status fl_sql_fail_reads(binder *b, int32_t pos)
{
    fl_sql_bind_fail(b, pos, FL_ERR_LIMIT, "views and common table expressions are read more than %d times", READS_MAX);
    fl_err_hint(b->err, "those inside of others count with each of them; CREATE TABLE … AS keeps the rows of one");
    return FL_ERR_LIMIT;
}

fl_status fl_sql_bind_cte(binder *b, cte *c, int32_t pos, bool is_recurring, output *ret)
{
    fl_status st = FL_OK;
    output out = {0};
    int32_t before = b->reads;
    b->reads += 1 + c->binds;
    if (b->reads > READS_MAX)
        return fl_sql_fail_reads(b, pos);
    c->is_used = true;
    FL_ASSERT(!is_recurring || c->self != NULL);
    if (c->is_shared)
        return read_shared(b, c, ret);
    if (c->self != NULL)
        return fl_sql_bind_self(b, c, pos, is_recurring, ret);
    bool is_change = c->ast->change != NULL;
    if (is_change)
        FL_TRY(scan_changed(b, c, pos, &out));
    else
        FL_TRY(c->is_recursive ? fl_sql_bind_recursive(b, c, &out)
                               : fl_sql_bind_query(b, c->outer, c->next, c->ast->query, &out));
    if (c->ast->column_count > out.n_cols)
        return fl_sql_bind_fail_state(b, c->ast->columns[out.n_cols].start, FL_ERR_COLUMN, "42P10",
                                      "\"%.*s\" has %d columns, %d names are given", FL_STR_ARG(c->ast->name.text),
                                      out.n_cols, c->ast->column_count);
    for (int32_t i = 0; i < c->ast->column_count; i++)
        out.cols[i].name = c->ast->columns[i].text;
    *ret = out;
    if (is_change)
        return FL_OK;
    uint32_t holds = out.root->holds;
    bool is_once =
        (holds & FL_HOLDS_VOLATILE) || c->ast->is_materialized || ((holds & FL_HOLDS_GROUPS) && !c->ast->is_inlined);
    if (!is_once || !fl_col_set_is_empty(&out.root->outer))
        return FL_OK; /* what looks at rows around it cannot be computed once for all of them */
    FL_TRY(fl_sql_output_exact(b, &out));
    c->shared = out;
    c->is_shared = true;
    c->binds = b->reads - before - 1;
    st = read_shared(b, c, ret);
cleanup:
    return st;
}
