/* The SQL frontend's public face: text in, bound statements out.
 *
 * A text holds statements; fl_sql_parser_next (parser.h) gives them one by one as syntax trees, fl_sql_bind turns a tree
 * into plans: names are resolved against the catalog, types derived, casts put in. What a statement does with its plan
 * is the engine's business (src/engine/).
 *
 *     fl_sql_parser parser;
 *     FL_TRY(fl_sql_parser_init(&parser, memory, text, err));
 *     for (;;) {
 *         fl_ast_statement *ast;
 *         fl_sql_bound bound;
 *         FL_TRY(fl_sql_parser_next(&parser, &arena, &ast, err));
 *         if (ast == NULL)
 *             break;
 *         FL_TRY(fl_sql_bind(&env, &arena, text, ast, &bound, err));
 *         ...                              by bound.kind
 *         fl_sql_bound_drop(&bound);
 *     }
 *
 * Grammar that is a call of a function in the registry:
 *
 *     operators by their sign                    x LIKE p [ESCAPE e]          like(x, p [, e]), ilike
 *     x ~ p, x ~* p            ~, ~*             x IS [NOT] DISTINCT FROM y   is_distinct_from, is_not_distinct_from
 *     EXTRACT(f FROM x)        extract('f', x), an integer; of second and epoch date_part('f', x), a double
 *     x AT TIME ZONE z         timezone(z, x)
 *     SUBSTRING(x FROM a FOR n)  substring       POSITION(a IN x)             strpos(x, a)
 *     TRIM([BOTH] c FROM x)    trim(x, c)        TRIM(LEADING|TRAILING ...)   ltrim, rtrim
 *     l[i]                     list_extract      x = ANY (l)                  list_contains(l, x)
 *     [a, b] of columns        list_value        OVERLAY(x PLACING y FROM a FOR n)   overlay(x, y, a, n)
 *     CURRENT_DATE and others  current_date()    x // y, x # y                as they are written
 *
 * coalesce, ifnull, nullif and if become CASE; BETWEEN, IN lists, IS TRUE and rows that are compared with rows become comparisons;
 * other rows, {...} and struct_pack become structs (fl_expr_struct). */
#ifndef FL_FRONT_SQL_SQL_H
#define FL_FRONT_SQL_SQL_H

#include "front/sql/parser.h"
#include "plan/catalog.h"
#include "plan/function_declaration.h"
#include "plan/query.h"
#include "plan/registry.h"
#include "plan/table_rules.h"

struct fl_evaluator;

/* Where ORDER BY puts nulls when it does not say: behind all values in ascending order and in front in descending (the
 * default, as PostgreSQL), the other way round, or always at one end. */
typedef enum fl_sql_null_order {
    FL_SQL_NULLS_GREATEST,
    FL_SQL_NULLS_LEAST,
    FL_SQL_NULLS_FIRST,
    FL_SQL_NULLS_LAST
} fl_sql_null_order;

/* What a statement is bound against. Borrowed for the call. */
typedef struct fl_sql_env {
    fl_memory *memory;
    const fl_registry *registry;
    fl_catalog *catalog;
    struct fl_evaluator *evaluator; /* folds LIMIT 1 + 1 and arguments of table functions; NULL: literals only */

    fl_sql_null_order null_order;
    fl_str zone;               /* of the session; empty: UTC */
    uint64_t false_statistics; /* plan/false_statistics.h; 0: those that there are */

    /* Parameters: declared types (FL_NULL where unknown) of $1 ..., from PREPARE or from the values at hand. */
    const fl_type *param_types;
    int32_t n_param_types;
    const fl_value *params; /* their values where they are known at binding (LIMIT $1 needs them); else NULL */
    int32_t n_params;
    bool
        is_final; /* the statement runs as it is: a parameter beyond n_params is an error (42P02), not one to be given */

    /** The one value of a query of one column (NULL where it has no row), for LIMIT (SELECT ...); `arena` for strings.
     *  NULL: such limits are refused. */
    fl_status (*get_scalar)(struct fl_sql_env *env, const fl_query *query, fl_arena *arena, fl_value *ret, fl_err *err);

    /** What the table asks of its columns (*ret_rules NULL: nothing) and rows; borrowed from it. NULL: no table asks for anything. */
    void (*get_rules)(struct fl_sql_env *env, const fl_table *table, const fl_column_rules **ret_rules,
                      const fl_table_constraints **ret_constraints);
    /** What a change of rows in WITH returned, which ran before; of a statement that does not run its columns alone. A reference for the
     *  caller. NULL: there are none of those. */
    fl_status (*get_changed)(struct fl_sql_env *env, const fl_ast_statement *change, fl_table **ret, fl_err *err);
    /** The value of the session's variable of that name; NULL: it has none. NULL: there are no variables. */
    const fl_value *(*get_variable)(struct fl_sql_env *env, fl_str name);
    void *owner;         /* for the functions above */
    int32_t pivot_depth; /* the binder's: of PIVOTs whose values are being looked for */
} fl_sql_env;

/* What a MERGE does with a row. */
typedef enum fl_merge_action { FL_MERGE_NOTHING, FL_MERGE_INSERT, FL_MERGE_UPDATE, FL_MERGE_DELETE } fl_merge_action;

enum { FL_SQL_NO_KEY = -1, FL_SQL_EVERY_KEY = -2 };

typedef struct fl_sql_column {
    fl_str name;
    fl_type type;
    bool is_not_null;
    fl_str default_text; /* empty: none */
    uint8_t identity;    /* fl_identity */
    fl_rule_text generated;
    fl_str sequence; /* that goes with the column; empty: none */
    bool is_sequence_new;
    const fl_ast_sequence_options *sequence_options; /* of a new one; NULL: none were said */
    int32_t from;                                    /* ALTER TABLE: the column that it was; -1: it is new */
} fl_sql_column;

/* A bound statement. Which fields are set goes by kind (those not named are zero):
 *
 *     QUERY, DESCRIBE     query
 *     CREATE_TABLE        name, or_replace, if_not_exists, columns, keys, constraints; with AS also query, whose outputs are the columns
 *                         (is_empty: WITH NO DATA)
 *     CREATE_VIEW         name, or_replace, if_not_exists, view_text, names (columns given) and n_names
 *     CREATE_INDEX        name, table_name, table, if_not_exists; UNIQUE: keys, of one
 *     CREATE_FUNCTION     name, or_replace, if_not_exists, declaration, code_pos
 *     COPY_TO             query: of one row, how many rows were written
 *     COPY_FROM           as INSERT
 *     EXPORT, IMPORT      name: the folder, name_pos; EXPORT: view_text: the options as they are written; names: the files' ending, the
 *                         options of COPY FROM
 *     INSERT              name, table, skips_key; query: every column of the table in order, cast to its type
 *     UPDATE              name, table, assigned, n_assigned; query: the rows to change in the table's order, where they are (the
 *                         last column of fl_table_ops.numbered) and the values of the columns assigned
 *     DELETE              name, table; query: the rows to delete, where they are; without one: all
 *     MERGE               name, table, conflict_key; query: the rows that change, where they are (null: rows to insert, which come last),
 *                         what becomes of them (fl_merge_action), every column of the table. INSERT ... ON CONFLICT DO UPDATE, too
 *                         Behind these columns the four have a boolean for each CHECK of the table, which is not false in rows that may
 *                         be there, and those of RETURNING (n_checks, n_returning)
 *     TRUNCATE            name, table
 *     ALTER               is_view, if_exists, name, table (NULL: there is none), new_name: a RENAME TO. Else columns, keys, constraints as
 *                         they become, cascades, alters_keys, alters_foreign_keys; query: all rows as INSERT has them, where they
 *                         change or are held to CHECK. old_column, new_column: RENAME of that one
 *     COMMENT             object, macro_kind, name, name_pos, old_column (of a column), view_text: the comment, is_empty: none
 *     SET_VARIABLE        name; query: its value
 *     RESET_VARIABLE      name
 *     CREATE_MACRO, CREATE_TYPE   name, or_replace, if_not_exists, macro_kind, view_text: its definition
 *     ATTACH, DETACH      name, if_not_exists, if_exists
 *     USE                 names, n_names: database, schema or both
 *     CREATE_SEQUENCE, ALTER_SEQUENCE   name, table_name (that it goes with; empty), or_replace, if_not_exists, if_exists, new_name, sequence
 *     DROP                object, if_exists, cascades, macro_kind, names, n_names, name_pos
 *     ANALYZE             table_name, table (NULL: all)
 *     SHOW_TABLES
 *     SHOW, RESET, DEALLOCATE   name (empty: all)
 *     KILL                name: the digits of the id
 *     SET                 name, values, n_values
 *     EXPLAIN             is_analyze, has_properties, has_costs, has_memo, has_provenance, name (of WHY NOT; empty),
 *                         name_pos, format, inner
 *     PREPARE             name, inner (n_params and types in inner->query); ast of the inner statement to bind again
 *     EXECUTE             name; query: one row, the arguments in order (none: query.plan is NULL), names: theirs, empty where they have
 *                         none, names_pos */
typedef struct fl_sql_bound {
    fl_ast_statement_kind kind;
    const fl_ast_statement *ast;
    fl_query query; /* holds a reference to its plan where there is one */
    fl_str name;
    int32_t name_pos;
    int32_t code_pos;
    fl_str table_name;
    fl_table *table; /* held by the plan where there is a query; else by this struct */
    bool holds_table;
    bool or_replace, if_not_exists, if_exists, is_empty, is_analyze, is_temporary;
    bool has_properties, has_costs, has_memo, has_provenance;
    int32_t *assigned; /* columns of the table */
    int32_t n_assigned;
    int32_t n_checks;
    int32_t n_returning;
    bool returns; /* RETURNING was written */
    int32_t
        skips_key; /* ON CONFLICT DO NOTHING: the table's key, or FL_SQL_EVERY_KEY; FL_SQL_NO_KEY: nothing is left out */
    int32_t conflict_key; /* ON CONFLICT DO UPDATE: by which rows meet; FL_SQL_NO_KEY: MERGE */
    fl_sql_column *columns;
    int32_t n_columns;
    fl_table_key *keys;
    int32_t n_keys;
    fl_table_constraints constraints;
    bool is_view, cascades;
    fl_macro_kind macro_kind;
    bool alters_keys, alters_foreign_keys; /* rows are to be held to them */
    fl_str new_name, old_column, new_column;
    const fl_ast_sequence_options *sequence;
    fl_str view_text;
    const fl_function_declaration *declaration;
    fl_str *names;
    int32_t *names_pos;
    int32_t n_names;
    fl_ast_object object;
    fl_value *values;
    int32_t n_values;
    fl_ast_format format;
    struct fl_sql_bound *inner;
} fl_sql_bound;

/** Binds one statement of `text`. What it gives lies in `arena` and, for plans, in a plan of its own.
 *  Errors carry their place in the text: FL_ERR_TABLE, FL_ERR_COLUMN, FL_ERR_AMBIGUOUS, FL_ERR_FUNCTION, FL_ERR_TYPE,
 *  FL_ERR_GROUPING, FL_ERR_UNSUPPORTED, FL_ERR_VALUE ... On failure nothing is held. */
fl_status fl_sql_bind(fl_sql_env *env, fl_arena *arena, fl_str text, const fl_ast_statement *ast, fl_sql_bound *ret,
                      fl_err *err);

/** Whether a call of this name is a form of the language (coalesce, if, unnest), which no function can be called as. */
bool fl_sql_is_form(fl_str name);

/** Binds the body of a function that is an expression, in a plan where it is called: its names are the parameters, which are the
 *  arguments (cast to the parameters' types by the caller). Gives it in the type that the function returns; errors have their place in
 *  the body's text. It reads no table. */
fl_status fl_sql_bind_body(fl_sql_env *env, fl_plan *plan, const fl_ast_expr *body, const fl_function_param *params,
                           const fl_expr *const *args, int32_t n_params, fl_type returns, const fl_expr **ret,
                           fl_err *err);

/** Gives back the plan and the table. */
void fl_sql_bound_drop(fl_sql_bound *bound);

#endif
