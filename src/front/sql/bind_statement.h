/* Binding of statements, by kind. Private to bind*.c; what each gives is said at fl_sql_bound (sql.h). */
#ifndef FL_FRONT_SQL_BIND_STATEMENT_H
#define FL_FRONT_SQL_BIND_STATEMENT_H

#include "front/sql/bind.h"

/** What puts a statement's plan together; called again when parameters' types did not fit each other. */
typedef fl_status (*fl_sql_planner)(binder *b, void *ctx, output *ret);

/** Makes a plan by `fn` and fills a query from its output: names, parameters. The query holds the plan. */
fl_status fl_sql_bind_plan(fl_sql_env *env, const fl_ast_statement *ast, fl_sql_planner fn, void *ctx, fl_query *ret,
                           fl_err *err);

/** A value for a column of `type`: casts where an assignment does so without being asked, else FL_ERR_TYPE. */
fl_status fl_sql_assign(binder *b, const fl_expr *value, fl_type type, fl_str name, int32_t pos, const fl_expr **ret);

/** Keeps the key of what a statement makes (`is_new`) or changes. Errors are those of fl_sql_qualify. */
fl_status fl_sql_set_name(fl_sql_env *env, fl_arena *arena, fl_ast_path path, bool is_new, fl_sql_bound *ret,
                          fl_err *err);

#define FL_SQL_STATEMENT_BINDER(name)                                                                             \
    fl_status name(fl_sql_env *env, fl_arena *arena, fl_str text, const fl_ast_statement *ast, fl_sql_bound *ret, \
                   fl_err *err)

FL_SQL_STATEMENT_BINDER(fl_sql_bind_query_statement);
FL_SQL_STATEMENT_BINDER(fl_sql_bind_create_table);
FL_SQL_STATEMENT_BINDER(fl_sql_bind_create_view);
FL_SQL_STATEMENT_BINDER(fl_sql_bind_create_index);
FL_SQL_STATEMENT_BINDER(fl_sql_bind_create_function);
FL_SQL_STATEMENT_BINDER(fl_sql_bind_drop);
FL_SQL_STATEMENT_BINDER(fl_sql_bind_analyze);
FL_SQL_STATEMENT_BINDER(fl_sql_bind_setting);
FL_SQL_STATEMENT_BINDER(fl_sql_bind_explain);
FL_SQL_STATEMENT_BINDER(fl_sql_bind_prepare);
FL_SQL_STATEMENT_BINDER(fl_sql_bind_execute);
FL_SQL_STATEMENT_BINDER(fl_sql_bind_insert);
FL_SQL_STATEMENT_BINDER(fl_sql_bind_update);
FL_SQL_STATEMENT_BINDER(fl_sql_bind_delete);
FL_SQL_STATEMENT_BINDER(fl_sql_bind_copy_to);
FL_SQL_STATEMENT_BINDER(fl_sql_bind_copy_from);
FL_SQL_STATEMENT_BINDER(fl_sql_bind_export);

/** The table that a statement changes: its name and place, and a reference to it. A view is refused. */
fl_status fl_sql_find_target(fl_sql_env *env, fl_arena *arena, fl_ast_path path, fl_sql_bound *ret, fl_err *err);
FL_SQL_STATEMENT_BINDER(fl_sql_bind_merge);
FL_SQL_STATEMENT_BINDER(fl_sql_bind_alter);
FL_SQL_STATEMENT_BINDER(fl_sql_bind_sequence);
FL_SQL_STATEMENT_BINDER(fl_sql_bind_create_schema);
FL_SQL_STATEMENT_BINDER(fl_sql_bind_database);
FL_SQL_STATEMENT_BINDER(fl_sql_bind_use);
FL_SQL_STATEMENT_BINDER(fl_sql_bind_create_macro);
FL_SQL_STATEMENT_BINDER(fl_sql_bind_create_type);
FL_SQL_STATEMENT_BINDER(fl_sql_bind_variable);
FL_SQL_STATEMENT_BINDER(fl_sql_bind_comment);

#endif
