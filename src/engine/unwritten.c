/* Queries that have no SQL text: what the builder and the JSON frontend do with their statements besides running them. */
#include "engine/internal.h"

fl_status fl_session_statement_hash(fl_session *session, const fl_ast_statement *ast, uint64_t *ret_hash, fl_err *err)
{
    fl_arena arena;
    fl_sql_bound bound = {0};
    int64_t started_ns = fl_session_begin(session);
    fl_arena_init(&arena, &session->statement_memory);
    fl_status st = fl_session_bind_only(session, &arena, (fl_str){0}, ast, &bound, err);
    if (st == FL_OK) {
        st = fl_plan_hash(&bound.query, true, ret_hash, err);
        fl_sql_bound_drop(&bound);
    }
    fl_arena_drop(&arena);
    return fl_session_end(session, started_ns, st, err);
}

fl_status fl_session_statement_explain(fl_session *session, const fl_ast_statement *ast, char **ret_text, fl_err *err)
{
    fl_status st = FL_OK;
    fl_text out;
    fl_arena arena;
    fl_sql_bound bound = {0};
    bool is_bound = false;
    int64_t started_ns = fl_session_begin(session);
    fl_text_init(&out, NULL); /* the caller's: outlives the session */
    fl_arena_init(&arena, &session->statement_memory);
    FL_TRY(fl_session_bind_only(session, &arena, (fl_str){0}, ast, &bound, err));
    is_bound = true;
    FL_TRY(fl_session_optimize(session, &bound.query, NULL, 0, err));
    fl_explain x = {.query = &bound.query};
    fl_explain_text(&out, &x);
    FL_TRY(fl_text_status(&out, err));
    *ret_text = out.data;
    out.data = NULL;
cleanup:
    if (is_bound)
        fl_sql_bound_drop(&bound);
    fl_arena_drop(&arena);
    fl_text_drop(&out);
    return fl_session_end(session, started_ns, st, err);
}
