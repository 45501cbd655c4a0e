/* What binders of changes share: the table that is changed, values for its columns, and the row that a change leaves, over which generated
 * columns, CHECK and RETURNING are bound. Private to bind_dml.c, bind_merge.c, bind_target.c, bind_row.c. */
#ifndef FL_FRONT_SQL_BIND_CHANGE_H
#define FL_FRONT_SQL_BIND_CHANGE_H

#include "front/sql/bind_statement.h"

/* A change under way. */
typedef struct change {
    fl_sql_env *env;
    const fl_ast_statement *ast;
    fl_sql_bound *bound; /* gets what its comment says (sql.h) */
    fl_table *table;
    fl_str alias;                 /* what the table is called in the statement */
    const fl_column_rules *rules; /* NULL: none */
    const fl_table_constraints *constraints;
    const fl_ast_query *with; /* or NULL */
    const fl_ast_returning *returning;
    bool is_overriding; /* values for columns that are GENERATED ALWAYS AS IDENTITY are taken */
    cte *ctes;          /* visible in the statement */
} change;

/* Rows that a change leaves, or, with DELETE, takes away. */
typedef struct changed_rows {
    const fl_node *node;
    fl_col_id *image; /* [n_cols of the table] its columns */
    out_col lead[2];  /* what is put out in front of them */
    int32_t n_lead;
    const int32_t *put; /* columns of the table that are put out */
    int32_t n_put;
    bool is_new;            /* generated columns are computed, CHECK is looked at */
    const fl_expr *is_gone; /* is_new: rows for which it is true are not looked at; NULL: all are */
    scope *beside;          /* what else RETURNING may name; NULL: nothing */
} changed_rows;

/* ---- bind_target.c ---- */

/** Finds the table and begins the change. The bound statement holds the table. */
fl_status fl_sql_begin_change(fl_sql_env *env, fl_arena *arena, const fl_ast_statement *ast, fl_ast_path path,
                              fl_sql_bound *ret, change *ret_change, fl_err *err);

/** Enters the table expressions in front of the statement; called at the start of a plan. */
fl_status fl_sql_begin_plan(binder *b, change *ch);

fl_status fl_sql_map_fields(binder *b, const fl_table *table, fl_name_map *ret);
fl_status fl_sql_find_field(binder *b, const fl_table *table, const fl_name_map *fields, const fl_ast_name *name,
                            int32_t *ret);

/** Whether the column is GENERATED AS (expression). */
bool fl_sql_is_generated(const change *ch, int32_t col);

/** Refuses a value for a column that only the table gives values. */
fl_status fl_sql_check_given(binder *b, const change *ch, int32_t col, int32_t pos);

/** What the column takes when nothing is said. */
fl_status fl_sql_bind_default(binder *b, const change *ch, int32_t col, const fl_expr **ret);

/** A scan of the table's rows; ret_place: where they are. The table's own columns have names in `s`. */
fl_status fl_sql_scan_target(binder *b, const change *ch, int32_t pos, scope *s, fl_col_id *ret_place,
                             const fl_node **ret);

/** Binds SET: values[c] is what column c gets; NULL where it keeps what it has. `order` (may be NULL) gets which columns those are. */
fl_status fl_sql_bind_assigns(binder *b, const change *ch, scope *s, const fl_ast_assign *assigns, int32_t n,
                              const fl_expr **values, int32_t *order);

/* ---- bind_row.c ---- */

/** Binds an expression of the table's rules over columns that stand for the table's. */
fl_status fl_sql_bind_rule(binder *b, const fl_rule_text *rule, const fl_col_id *image, const fl_expr **ret);

/** Puts the values of generated columns in the places of what was there. */
fl_status fl_sql_generate(binder *b, const change *ch, changed_rows *rows);

/** Adds generated columns, checks and RETURNING, and makes the output of it all. */
fl_status fl_sql_put_rows(binder *b, change *ch, changed_rows *rows, output *ret);

#endif
