/* A statement while it is bound and run: what the frontend is given of the session, and what changes of rows in WITH returned. Private to
 * statement.c and with_changes.c. */
#ifndef FL_ENGINE_BINDING_H
#define FL_ENGINE_BINDING_H

#include "engine/internal.h"

/* What binding needs of the session, and the statement's own memory. */
typedef struct fl_binding {
    fl_sql_env env;
    fl_session_catalog catalog;
    fl_session *session;
    fl_evaluator evaluator;
    fl_session_state state;
    struct fl_changed *changed; /* by changes of rows in WITH */
    bool runs_changes;          /* they ran */
} fl_binding;

/* What a change of rows in WITH returned. */
typedef struct fl_changed {
    struct fl_changed *next;
    const fl_ast_statement *ast;
    fl_table *table;
    fl_type *param_types; /* of a change that was bound alone: what it takes parameters for; [n_params] */
    int32_t n_params;
} fl_changed;

/** Does what a bound statement says (statement.c). */
fl_status fl_session_dispatch(fl_session *session, fl_str text, fl_sql_bound *bound, const fl_value *params,
                              int32_t n_params, fl_rows *ret, fl_err *err);

/* ---- with_changes.c ---- */

/** Whether changes of rows stand in the WITH in front of a statement. */
bool fl_has_changes(const fl_ast_statement *ast);

/** Runs them in their order, and keeps what they return. */
fl_status fl_binding_run_changes(fl_binding *b, fl_arena *arena, fl_str text, const fl_ast_statement *ast,
                                 const fl_value *params, int32_t n_params, fl_err *err);
void fl_binding_drop_changed(fl_binding *b);

/** fl_sql_env.get_changed */
fl_status fl_binding_get_changed(fl_sql_env *env, const fl_ast_statement *ast, fl_table **ret, fl_err *err);

/** Parameters that only changes in WITH have: what those take them for. */
void fl_binding_add_param_types(const fl_binding *b, fl_query *query);

#endif
