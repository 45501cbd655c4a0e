/* A table's definition under way: CREATE TABLE makes one of nothing, ALTER TABLE of what the table is. Private to bind_definition.c,
 * bind_alter.c, bind_statement.c. */
#ifndef FL_FRONT_SQL_BIND_DEFINITION_H
#define FL_FRONT_SQL_BIND_DEFINITION_H

#include "front/sql/bind_change.h"

typedef struct definition {
    fl_sql_env *env;
    fl_arena *arena; /* of the statement */
    fl_str text;
    const fl_ast_statement *ast;
    fl_err *err;
    fl_str name;       /* of the table, with its schema */
    fl_str short_name; /* without */
    fl_sql_column *columns;
    int32_t n_columns, columns_capacity;
    fl_name_map known;       /* names of columns, while they are only added; without an arena: not kept */
    fl_name_map constraints; /* of constraints, likewise */
    fl_table_key *keys;
    int32_t n_keys, keys_capacity;
    fl_table_check *checks;
    int32_t n_checks, checks_capacity;
    fl_foreign_key *foreign_keys;
    int32_t n_foreign_keys, foreign_keys_capacity;
} definition;

/** -1: there is none. */
int32_t fl_sql_definition_find(const definition *d, fl_str column);
fl_status fl_sql_definition_fail_column(const definition *d, const fl_ast_name *name);

/** Room for one more element. */
fl_status fl_sql_definition_grow(const definition *d, void *items, int32_t count, int32_t *capacity, int64_t bytes);

/** Adds a column without its GENERATED. FL_ERR_DUPLICATE (42701). */
fl_status fl_sql_define_column(definition *d, const fl_ast_column_def *ast);

/** Its GENERATED, when all columns are there that it may read. */
fl_status fl_sql_define_generated(definition *d, int32_t column, const fl_ast_column_def *ast);

/** Keys, checks, foreign keys. */
fl_status fl_sql_define_constraints(definition *d, const fl_ast_create_table *ast);

/** Checks that a DEFAULT is one for the column, and keeps its text. */
fl_status fl_sql_define_default(definition *d, fl_sql_column *column, const fl_ast_expr *ast, int32_t start,
                                int32_t end);

/** Whether a constraint of the table has the name. */
bool fl_sql_definition_has(const definition *d, fl_str name);

/** Gives the definition to the bound statement. */
void fl_sql_definition_give(const definition *d, fl_sql_bound *ret);

/** A key of the columns named; without a name of its own it is called as PostgreSQL does: t_pkey, t_a_b_key. */
fl_status fl_sql_bind_key(fl_arena *arena, const fl_ast_table_key *ast, fl_str table, const fl_str *columns,
                          const fl_type *types, int32_t n_columns, fl_table_key *ret, fl_err *err);

/** What is said where a key would be of a text that has a collation. */
fl_status fl_sql_fail_collated_key(fl_type type, int32_t pos, fl_err *err);

/** COLLATE behind a column's type: its texts are compared so. */
fl_status fl_sql_collate_column(const definition *d, const fl_ast_name *name, fl_type *type);

/** A type outside of any plan. */
fl_status fl_sql_bind_type_alone(fl_sql_env *env, fl_arena *arena, const fl_ast_statement *statement,
                                 const fl_ast_type *ast, fl_type *ret, fl_err *err);

fl_status fl_sql_fail_twice(fl_str name, int32_t pos, fl_err *err);

#endif
