/* Changes of rows in WITH: they run first, in their order, and what they return are tables that the rest of the statement reads. Their new
 * versions of tables are put with those of the whole statement (versions.c), so that all its parts see what was there before. */
#include "engine/binding.h"

/* The table expressions in front of a statement; NULL: there are none. */
static const fl_ast_query *with_of(const fl_ast_statement *ast)
{
    switch (ast->kind) {
    case FL_AST_QUERY:
        return ast->query;
    case FL_AST_INSERT:
        return ast->insert->with;
    case FL_AST_UPDATE:
        return ast->update->with;
    case FL_AST_DELETE:
        return ast->erase->with;
    case FL_AST_MERGE:
        return ast->merge->with;
    default:
        return NULL;
    }
}

bool fl_has_changes(const fl_ast_statement *ast)
{
    const fl_ast_query *with = with_of(ast);
    for (int32_t i = 0; with != NULL && i < with->cte_count; i++)
        if (with->ctes[i].change != NULL)
            return true;
    return false;
}

/* Keeps rows that a change returned as a table. */
static fl_status keep_changed(fl_binding *b, fl_arena *arena, const fl_ast_statement *ast, const fl_rows *rows,
                              fl_err *err)
{
    fl_status st = FL_OK;
    fl_changed *made = NULL;
    FL_TRY(FL_NEW(arena, &made, err));
    FL_TRY(fl_memory_table_new(&b->session->engine->memory, FL_STR("returned"), rows->fields, rows->n_cols,
                               rows->segments, rows->n_segments, &made->table, err));
    made->ast = ast;
    made->next = b->changed;
    b->changed = made;
cleanup:
    return st;
}

void fl_binding_drop_changed(fl_binding *b)
{
    for (; b->changed != NULL; b->changed = b->changed->next)
        fl_table_unref(b->changed->table);
}

fl_status fl_binding_run_changes(fl_binding *b, fl_arena *arena, fl_str text, const fl_ast_statement *ast,
                                 const fl_value *params, int32_t n_params, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_ast_query *with = with_of(ast);
    fl_sql_bound bound = {0};
    fl_rows rows = {0};
    for (int32_t i = 0; with != NULL && i < with->cte_count; i++) {
        fl_ast_statement *change = with->ctes[i].change;
        if (change == NULL)
            continue;
        change->parameter_count = ast->parameter_count;
        change->has_rowid = ast->has_rowid;
        FL_TRY(fl_sql_bind(&b->env, arena, text, change, &bound, err));
        FL_TRY(fl_session_dispatch(b->session, text, &bound, params, n_params, &rows, err));
        FL_TRY(keep_changed(b, arena, change, &rows, err));
        fl_rows_drop(&rows);
        fl_sql_bound_drop(&bound);
        rows = (fl_rows){0};
    }
    b->session->changed_rows = -1;
cleanup:
    fl_rows_drop(&rows);
    fl_sql_bound_drop(&bound);
    return st;
}

/* Of a statement that is bound alone: the columns that the change would return. */
static fl_status bind_changed(fl_binding *b, const fl_ast_statement *ast, fl_err *err)
{
    fl_status st = FL_OK;
    fl_sql_bound bound = {0};
    fl_rows rows = {0};
    fl_arena *arena = b->catalog.arena;
    FL_TRY(fl_sql_bind(&b->env, arena, (fl_str){0}, ast, &bound, err));
    FL_ASSERT(bound.n_returning <= bound.query.n_outputs);
    int32_t first = bound.query.n_outputs - bound.n_returning;
    rows.n_cols = bound.n_returning;
    FL_TRY(FL_NEW_ARRAY(arena, rows.n_cols + 1, &rows.fields, err));
    for (int32_t i = 0; i < rows.n_cols; i++)
        rows.fields[i] = (fl_field){.name = bound.query.names[first + i],
                                    .type = fl_plan_col(bound.query.plan, bound.query.outputs[first + i])->type,
                                    .nullable = true};
    FL_TRY(keep_changed(b, arena, ast, &rows, err));
    b->changed->n_params = bound.query.n_params;
    FL_TRY(FL_NEW_ARRAY(arena, bound.query.n_params + 1, &b->changed->param_types, err));
    for (int32_t i = 0; i < bound.query.n_params; i++)
        FL_TRY(fl_type_copy(arena, bound.query.param_types[i], &b->changed->param_types[i], err));
cleanup:
    fl_sql_bound_drop(&bound);
    return st;
}

void fl_binding_add_param_types(const fl_binding *b, fl_query *query)
{
    for (const fl_changed *c = b->changed; c != NULL; c = c->next)
        for (int32_t i = 0; i < c->n_params && i < query->n_params; i++)
            if (query->param_types[i].id == FL_NULL && !fl_type_is_nested(c->param_types[i]))
                query->param_types[i] = c->param_types[i];
}

fl_status fl_binding_get_changed(fl_sql_env *env, const fl_ast_statement *ast, fl_table **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_binding *b = env->owner;
    for (int tries = 0; tries < 2; tries++) {
        for (const fl_changed *c = b->changed; c != NULL; c = c->next)
            if (c->ast == ast) {
                *ret = fl_table_ref(c->table);
                return FL_OK;
            }
        if (b->runs_changes || tries == 1)
            break;
        FL_TRY(bind_changed(b, ast, err));
    }
    FL_FAIL(err, FL_ERR_UNSUPPORTED, "a change of rows in WITH stands in front of the whole statement");
    fl_err_hint(err, "move it into the WITH at the statement's begin");
    return FL_ERR_UNSUPPORTED;
cleanup:
    return st;
}
