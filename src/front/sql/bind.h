/* What the parts of the binder share: the binder, scopes of names, and what a bound query puts out. Private to bind*.c.
 *
 * A scope is what names can mean at one place: the columns of FROM, behind them the scope around it (outer references),
 * behind them the aliases of the select list. Aggregates are collected while expressions are bound over the input's
 * columns: a call becomes a reference to the column that the aggregate will fill; when all expressions of a SELECT are
 * bound, the aggregate operator goes below them and keys in them become the operator's columns (bind_group.c).
 *
 * Names here that are not static begin with fl_sql_ as everywhere; types are private and short. */
#ifndef FL_FRONT_SQL_BIND_H
#define FL_FRONT_SQL_BIND_H

#include "base/collation.h"
#include "base/full_name.h"
#include "base/index_map.h"
#include "base/name_map.h"
#include "front/sql/sql.h"

#define VIEW_DEPTH_MAX 64   /* views on views */
#define QUERY_DEPTH_MAX 500 /* subqueries, views and common table expressions in each other */
#define READS_MAX 10000     /* references to views and common table expressions, those inside them counted each time */

struct scope;
struct cte;

/* A call of a macro whose text is being bound. */
typedef struct macro_frame {
    struct macro_frame *outer;  /* the one in which its arguments are written; NULL: none */
    struct macro_frame *caller; /* the one that was being bound when it was called */
    fl_str key;
    bool is_table;
    bool is_trial;             /* there is no call: parameters are nulls */
    const fl_ast_macro *macro; /* NULL: a default is bound, which has no parameters */
    fl_ast_expr **args;        /* by parameter; NULL: its default */
    struct scope *scope;       /* in which the call stands: what the text does not see */
    struct cte *ctes;          /* visible there */
    fl_str database, schema;   /* of names there that say none */
    bool is_arg_fault;         /* what failed stands in an argument */
} macro_frame;

typedef struct binder {
    fl_sql_env *env;
    fl_plan *plan;
    fl_arena *arena; /* the plan's */
    fl_err *err;
    int32_t view_depth;
    int32_t query_depth;
    int32_t reads;        /* so far: a chain of CTEs that each read the one before twice doubles with every link */
    fl_type *limit_types; /* [n_limit_types] parameters that stand in LIMIT and OFFSET: bigint; others FL_NULL */
    int32_t n_limit_types;
    const fl_type *param_types; /* fixed types of $1 ...; FL_NULL: whatever the place asks for */
    int32_t n_params;
    int64_t n_recursions;
    bool has_rowid;       /* the text names it: scans give it */
    macro_frame *macro;   /* whose text is being bound; NULL: none */
    int32_t macro_height; /* of the texts of macros and of their arguments, in each other */
} binder;

/* ---- scopes ---- */

typedef enum clause {
    CLAUSE_FROM,
    CLAUSE_ON,
    CLAUSE_WHERE,
    CLAUSE_SELECT,
    CLAUSE_GROUP,
    CLAUSE_HAVING,
    CLAUSE_QUALIFY,
    CLAUSE_ORDER,
    CLAUSE_LIMIT,
    CLAUSE_VALUES,
    CLAUSE_SET,
    CLAUSE_RETURNING,
    CLAUSE_RULE,      /* CHECK, GENERATED */
    CLAUSE_SET_ORDER, /* ORDER BY of a set operation */
} clause;

typedef struct scope_col {
    fl_str name;
    fl_col_id col;
    int32_t table;  /* index in tables; -1: merged by USING, belongs to no table */
    bool is_hidden; /* merged away: found behind its table's name only */
    bool is_system; /* and is_hidden: found by its name alone, as rowid; no star has it */
    int32_t next;   /* in the index: the next column of its name, + 1; 0: none */
    int32_t last;   /* of the first one of a name: the last one, + 1 */
} scope_col;

typedef struct scope_table {
    fl_str alias;   /* what it is called here; empty for a subquery without a name */
    fl_str name;    /* what it is called in the catalog; empty for others */
    fl_str only;    /* range(3) AS r: the function's name, which its only column r has, too, where no other has it */
    bool is_padded; /* by an outer join: its rows may be nulls that are none of its own */
    bool is_value;  /* a function of single values: its name alone is its column where no column has that name */
} scope_table;

/* A column reference of the clause being bound, in order: says where a column was written that is not grouped. */
typedef struct col_ref {
    fl_col_id col;
    int32_t pos;
} col_ref;

typedef struct select_item {
    fl_str name;            /* what the column is called */
    fl_str alias;           /* empty when none was written */
    const fl_ast_expr *ast; /* NULL for a column of a star */
    const fl_expr *expr;    /* once bound, over the input's columns */
    bool is_binding;        /* an alias that is met while it is bound means itself: not found */
    int32_t pos;
    const fl_expr
        *alias_expr[2]; /* what the alias stands for in the clause `alias_clause`, outside and inside of aggregates */
    clause alias_clause[2];
    const scope_col *picked;   /* the column that COLUMNS(...) in `ast` stands for; NULL: it has none */
    const fl_ast_expr *filter; /* of all aggregates in `ast`; NULL: none */
} select_item;

/* Select items by a name: the first of each, and of each item the next one of its name, + 1. */
typedef struct item_index {
    fl_name_map first;
    int32_t *next;
} item_index;

/* unnest(list) of a select list. */
typedef struct list_ref {
    const fl_expr *list; /* over the input's columns */
    fl_col_id col;       /* its elements */
    int32_t pos;
    bool is_key; /* GROUP BY reads it: expanded below the grouping */
    bool is_done;
} list_ref;

/* grouping(a, b): a reference to a column that is made beside the groups. */
typedef struct grouping_call {
    const fl_expr **args; /* over the input's columns */
    int32_t n_args;
    fl_col_id col;
    int32_t pos;
} grouping_call;

/* The sets of GROUP BY: a bit for each key. */
typedef struct grouping_sets {
    int32_t n;
    int32_t n_words; /* of a set */
    uint64_t *bits;
} grouping_sets;

typedef struct scope {
    struct scope *outer;
    struct cte *ctes; /* visible here, innermost first */
    scope_col *cols;
    int32_t n_cols, cols_capacity;
    scope_table *tables;
    int32_t n_tables, tables_capacity;
    int32_t *index; /* open addressing over names, first cols' numbers + 1; made when there are many columns */
    int32_t index_size;

    clause clause;
    const scope_col *picked;   /* the column that COLUMNS(...) stands for; NULL: it has no place here */
    const fl_ast_expr *filter; /* of aggregates, beside their own; NULL: none */
    bool in_aggregate;
    bool in_filter; /* of an aggregate: FILTER (WHERE ...) */

    select_item *items; /* of the select list, for aliases; NULL: none */
    int32_t n_items;
    item_index aliases;
    fl_agg *aggs;        /* collected */
    fl_col_set agg_cols; /* their results */
    fl_index_map agg_places;
    int32_t n_aggs, aggs_capacity;
    col_ref *refs;
    int32_t n_refs, refs_capacity;
    list_ref *lists; /* collected */
    int32_t n_lists, lists_capacity;
    grouping_call *groupings; /* collected */
    int32_t n_groupings, groupings_capacity;
    bool in_window;             /* in a call with OVER */
    struct over *named_windows; /* of WINDOW */
    fl_name_map named_places;
    int32_t n_named_windows;
    struct window_call *windows; /* collected */
    fl_col_set window_cols;      /* their results */
    int32_t n_windows, windows_capacity;
} scope;

/* ---- outputs ---- */

typedef struct out_col {
    fl_str name;
    fl_col_id col;
    const fl_expr *literal; /* an untyped literal in a select list: a set operation may still choose its type */
    int32_t pos;
} out_col;

/* A bound query: root puts out `cols`, perhaps others too (sort keys). */
typedef struct output {
    const fl_node *root;
    out_col *cols;
    int32_t n_cols;
    out_col *system; /* beside them: found by their names alone, no star has them */
    int32_t n_system;
} output;

/* ---- WITH ---- */

typedef struct cte {
    struct cte *next; /* those visible inside it: written before it, or around */
    const fl_ast_cte *ast;
    uint64_t name_hash;
    scope *outer;
    bool is_used;
    bool is_shared;          /* it is computed once: */
    output shared;           /* its query, which each reference reads */
    int32_t binds;           /* references inside of it, counted anew with each reference to it */
    bool is_recursive;       /* it may read itself; while it is bound: */
    struct self_reads *self; /* what that means where it stands. NULL: it is not bound now */
} cte;

/* ---- bind.c ---- */

fl_status fl_sql_bind_fail(binder *b, int32_t at, fl_status code, const char *format, ...)
    __attribute__((format(printf, 4, 5), cold));
fl_status fl_sql_bind_fail_state(binder *b, int32_t at, fl_status code, const char *state, const char *format, ...)
    __attribute__((format(printf, 5, 6), cold));

/** Room for one more element in an array of the plan's arena. */
fl_status fl_sql_bind_grow(binder *b, void *items, int32_t count, int32_t *capacity, int64_t bytes);

fl_status fl_sql_bind_type(binder *b, const fl_ast_type *type, fl_type *ret);

/** A text that may not outlive the statement, kept as long as the plan. */
fl_status fl_sql_bind_keep(binder *b, fl_str text, fl_str *ret);

/* ---- bind_statement.c ---- */

/** What the catalog knows a table, view or sequence as, its key: of something that is to be made (`is_new`), or that is there.
 *  FL_ERR_TABLE (3D000, 3F000), FL_ERR_AMBIGUOUS. */
fl_status fl_sql_qualify(fl_sql_env *env, fl_arena *arena, fl_ast_path path, bool is_new, fl_str *ret, fl_err *err);

/** The key of what is called otherwise from now on. */
fl_status fl_sql_rename(fl_arena *arena, fl_str key, fl_str name, fl_str *ret, fl_err *err);

/* ---- bind_scope.c ---- */

scope *fl_sql_scope_init(scope *s, scope *outer, clause clause);
fl_status fl_sql_scope_add_table(binder *b, scope *s, fl_str alias, fl_str name, const fl_str *names,
                                 const fl_col_id *cols, int32_t n_cols, int32_t pos);

/** Adds to the table that was added last a column which its name alone finds, as rowid. Not if it has one of that name. */
fl_status fl_sql_scope_add_system(binder *b, scope *s, fl_str name, fl_col_id col);

/** Appends the columns and tables of `from`. */
/** What `from` holds, without a copy where `s` holds nothing. `from` is not used any more. */
fl_status fl_sql_scope_take(binder *b, scope *s, scope *from);
fl_status fl_sql_scope_add_all(binder *b, scope *s, const scope *from);

/** A column that is visible by its plain name. *ret NULL: not found. FL_ERR_AMBIGUOUS. Looks in this scope only. */
fl_status fl_sql_scope_find(binder *b, scope *s, fl_str name, int32_t pos, const scope_col **ret);

/** A reference to a column of the scope. */
fl_status fl_sql_bind_scope_col(binder *b, scope *s, const scope_col *col, int32_t pos, const fl_expr **ret);

/** Binds `a`, `t.a`, `a.field`. */
fl_status fl_sql_bind_column(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret);

/** Number of the table that a name means, or -1. */
int32_t fl_sql_scope_table(const scope *s, fl_str alias);

fl_status fl_sql_fail_no_table(binder *b, scope *s, fl_ast_path path, int32_t pos);

/* ---- bind_expr.c, bind_literal.c, bind_call.c, bind_subquery.c ---- */

fl_status fl_sql_bind_expr(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret);

/** An expression that must be boolean; `what` names the place: "argument of WHERE". */
fl_status fl_sql_bind_bool(binder *b, scope *s, const fl_ast_expr *ast, const char *what, const fl_expr **ret);

fl_status fl_sql_bind_literal(binder *b, const fl_ast_expr *ast, const fl_expr **ret);
fl_status fl_sql_bind_interval(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret);
fl_status fl_sql_bind_list(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret);
fl_status fl_sql_bind_struct(binder *b, scope *s, const fl_ast_arg *items, int32_t n, int32_t pos, const fl_expr **ret);
fl_status fl_sql_bind_row(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret);
fl_status fl_sql_bind_call(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret);
fl_status fl_sql_bind_subquery(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret);

/** ARRAY(query): the values of its one column, in its order. */
fl_status fl_sql_bind_array_query(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret);

/** The n values of a subquery's one row, all null where it has none. */
fl_status fl_sql_bind_row_query(binder *b, scope *s, const fl_ast_expr *ast, int32_t n, const fl_expr **ret);

/** (a, b) OVERLAPS (c, d), which is a call of four arguments. */
fl_status fl_sql_bind_overlaps(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret);

/** left `op` right, where either side may be a row. */
fl_status fl_sql_bind_compare(binder *b, scope *s, fl_ast_op op, const fl_ast_expr *left, const fl_ast_expr *right,
                              int32_t pos, const fl_expr **ret);
fl_status fl_sql_compare(binder *b, fl_ast_op op, const fl_expr *left, const fl_expr *right, int32_t pos,
                         const fl_expr **ret);
const char *fl_sql_op_name(fl_ast_op op);
fl_status fl_sql_expr_bool(binder *b, bool truth, int32_t pos, const fl_expr **ret);

/** The value of a constant expression (LIMIT, arguments of table functions); `what` for the message. */
fl_status fl_sql_bind_constant(binder *b, scope *s, const fl_ast_expr *ast, const char *what, fl_value *ret);

/* ---- bind_macro.c ---- */

/* A call that may be of a macro. */
typedef struct macro_call {
    fl_str name, key;
    const fl_ast_arg *args;
    int32_t n_args;
    int32_t pos;
    bool is_found;
    fl_catalog_macro found;
} macro_call;

/** The scope, if names may mean something of it: NULL behind those that a macro's text makes. */
scope *fl_sql_visible(const binder *b, scope *at);

/** The parameter of that name of the macro whose text is being bound, or -1; and its argument. */
int32_t fl_sql_macro_param(const binder *b, fl_str name);
fl_status fl_sql_bind_macro_param(binder *b, int32_t param, int32_t pos, const fl_expr **ret);

/** Binds a call if it is one of a macro. */
fl_status fl_sql_bind_macro_call(binder *b, scope *s, const fl_ast_expr *ast, bool *ret_is, const fl_expr **ret);
fl_status fl_sql_bind_macro_table(binder *b, scope *s, const fl_ast_call *ast, int32_t pos, bool *ret_is, output *ret);

/** A plan without columns, for what is bound to look at it alone. */
fl_status fl_sql_bind_nothing(binder *b, output *ret);

/** The query that an aggregate, or grouping(), of these arguments belongs to. */
fl_status fl_sql_owner_of(binder *b, scope *s, const fl_expr *const *args, int32_t n_args, scope **ret);

/* ---- bind_unnest.c ---- */

/** unnest(l) in an expression: a reference to the column that the operator will fill. */
fl_status fl_sql_bind_unnest(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret);

/** The elements of a list that stands in a select list, as a column that multiplies the rows. */
fl_status fl_sql_unnest_list(binder *b, scope *s, const fl_expr *list, fl_str name, int32_t pos, const fl_expr **ret);

/** FL_ERR_UNSUPPORTED where expressions bound since there were `n_before` lists hold an unnest. */
fl_status fl_sql_refuse_unnest(binder *b, const scope *s, int32_t n_before, const char *place);

/** Puts the operator for the scope's lists on *node: those that keys of GROUP BY read, or all that are left. */
fl_status fl_sql_expand_keys(binder *b, scope *s, const fl_expr *const *keys, int32_t n_keys, const fl_node **node);
fl_status fl_sql_expand_lists(binder *b, scope *s, const fl_node **node);

/** unnest(l, m, ...) in FROM: its columns are the elements of each list, then their number. `s` is what the lists are
 *  bound over. */
fl_status fl_sql_bind_unnest_table(binder *b, scope *s, const fl_ast_table *ast, output *ret);

/* ---- bind_window.c ---- */

/* What a call has in its parentheses and in FILTER. */
typedef struct window_parts {
    const fl_expr *const *args;
    int32_t n_args;
    const fl_expr *filter; /* or NULL */
    const fl_sort_key *order;
    int32_t n_order;
} window_parts;

/** The name of a clause in messages. */
const char *fl_sql_clause_name(clause clause);

/** Whether a call with OVER may stand here. FL_ERR_GROUPING: 42P20. */
fl_status fl_sql_check_window(binder *b, const scope *s, const fl_ast_expr *ast);

/** Whether the expression reads results of the scope's windows. */
fl_status fl_sql_reads_windows(binder *b, const scope *s, const fl_expr *expr, bool *ret);

/** FL_ERR_GROUPING where the expression reads results of windows; `place` NULL: it is part of a window. */
fl_status fl_sql_refuse_windows(binder *b, const scope *s, const fl_expr *expr, int32_t pos, const char *place);

/** Takes over the names of WINDOW, and checks what each says. */
fl_status fl_sql_check_windows(binder *b, scope *s, const fl_ast_select *ast);

/** A call of a function of windows only: a reference to the column that the operator will fill. */
fl_status fl_sql_bind_window(binder *b, scope *s, const fl_ast_expr *ast, const fl_agg_desc *desc, const fl_expr **ret);

/** The same for any function, whose parts are bound already. */
fl_status fl_sql_add_window(binder *b, scope *s, const fl_ast_expr *ast, const fl_agg_desc *desc,
                            const window_parts *parts, const fl_expr **ret);

/** The places of all expressions in the scope's windows, so that they can be rewritten. */
fl_status fl_sql_window_exprs(binder *b, scope *s, const fl_expr ****ret, int32_t *ret_n);

/** Puts the operators for the scope's windows on *node, and below them a projection of what they read. The expressions over them read
 *  its columns; they may be NULL. */
fl_status fl_sql_put_windows(binder *b, scope *s, const fl_expr **const *over, int32_t n_over, const fl_node **node);

/* ---- bind_over.c ---- */

/** A function without arguments over all rows, to be put into a window: row_number, rank, count. */
fl_status fl_sql_make_over(binder *b, const fl_agg_desc *desc, fl_agg *ret);

/** The input's rows with their numbers, from 1. */
fl_status fl_sql_number_rows(binder *b, const fl_node *input, fl_col_id *ret_number, const fl_node **ret);

/* ---- bind_asof.c ---- */

/** An ASOF join. Columns of both sides get new ids: *ret_ids tells them by the old ones. */
fl_status fl_sql_build_asof(binder *b, const fl_ast_table *ast, const fl_node *left, const fl_node *right,
                            const fl_expr *condition, fl_index_map *ret_ids, const fl_node **ret);
fl_status fl_sql_build_positional(binder *b, const fl_ast_table *ast, const fl_node *left, const fl_node *right,
                                  const fl_node **ret);

/* ---- bind_from.c, bind_with.c, bind_select.c, bind_group.c, bind_query.c ---- */

fl_status fl_sql_bind_query(binder *b, scope *outer, cte *ctes, const fl_ast_query *ast, output *ret);
fl_status fl_sql_bind_select(binder *b, scope *outer, cte *ctes, const fl_ast_select *ast, const fl_ast_query *tail,
                             output *ret);

/** Binds a FROM tree; subqueries in it may look out to `outer`. Fills `s` with its names; s->ctes is set before. */
fl_status fl_sql_bind_from(binder *b, scope *outer, const fl_ast_table *ast, scope *s, const fl_node **ret);

/** What a reference to a common table expression puts out; `pos` is where it stands. is_recurring: recurring.name, while it is bound. */
fl_status fl_sql_bind_cte(binder *b, cte *c, int32_t pos, bool is_recurring, output *ret);

/* A source that is bound already: FL_AST_TABLE_BOUND. Its scope is taken over by what reads it. */
typedef struct fl_sql_source {
    scope *scope;
    const fl_node *node;
} fl_sql_source;

/* ---- bind_pivot.c, bind_unpivot.c, bind_summarize.c: all that is bound may look out to `outer` ---- */

fl_status fl_sql_bind_pivot(binder *b, scope *outer, cte *ctes, const fl_ast_table *ast, output *ret);
fl_status fl_sql_bind_unpivot(binder *b, scope *outer, cte *ctes, const fl_ast_table *ast, output *ret);
fl_status fl_sql_bind_summarize(binder *b, scope *outer, cte *ctes, const fl_ast_body *ast, output *ret);

/* ---- bind_recursive.c ---- */

/** Binds a table expression that may read itself. */
fl_status fl_sql_bind_recursive(binder *b, cte *c, output *ret);

/** The place of a column among the names of a table expression's; 42703 with the nearest one. */
fl_status fl_sql_find_column_of(binder *b, const fl_ast_cte *cte, const fl_str *names, int32_t n,
                                const fl_ast_name *name, int32_t *ret);

/** A reference inside of it. */
fl_status fl_sql_bind_self(binder *b, cte *c, int32_t pos, bool is_recurring, output *ret);

/** Adds an aggregate to those of the query, unless it is one of them; its result as an expression. */
fl_status fl_sql_add_aggregate(binder *b, scope *s, const fl_agg *agg, int32_t pos, const fl_expr **ret);

/** (value).name */
fl_status fl_sql_bind_member(binder *b, const fl_expr *value, const fl_ast_name *name, const fl_expr **ret);

/* ---- bind_type_length.c ---- */

/** Holds a value that becomes one of the type to the lengths of its lists (2202E); is_try: null where it has others. */
fl_status fl_sql_hold_length(binder *b, fl_type type, bool is_try, int32_t pos, const fl_expr **value);

/* ---- bind_collation.c ---- */

/** The collation of that name; 42704 where there is none. */
fl_status fl_sql_find_collation(const fl_ast_name *name, fl_collation *ret, fl_err *err);

/** Puts keys in the places of texts that are compared with each other, where they have a collation that needs them. */
fl_status fl_sql_collate_all(binder *b, const fl_expr **sides, int32_t n, int32_t pos);

/** The same of a key to order or group by. */
fl_status fl_sql_collate_key(binder *b, const fl_expr **key);

/** value COLLATE collation */
fl_status fl_sql_collate(binder *b, fl_collation collation, const fl_expr *value, int32_t pos, const fl_expr **ret);

/** Gives a text the collation of the column's type that it goes to, so that conditions of the column go by it. */
fl_status fl_sql_collate_as(binder *b, fl_type type, const fl_expr **value);

/** 0A000 for a column whose texts are compared by a key, where `what` knows no keys. */
fl_status fl_sql_refuse_collated(binder *b, const out_col *col, const char *what);

/** Whether the expression is a text that is compared by a key. */
bool fl_sql_is_collated(const fl_expr *expr);

/* ---- bind_search.c ---- */

#define FL_SQL_SEARCH_COLS_MAX 3

/** What `first UNION [ALL] step` with SEARCH and CYCLE stands for: a first part and a step with n + *ret_n columns. names: of the n that
 *  are written; ret_system: what the others are called where the step reads the table expression. */
fl_status fl_sql_expand_search(binder *b, const fl_ast_cte *ast, const fl_ast_set *set, const fl_str *names, int32_t n,
                               fl_ast_body **ret_first, fl_ast_body **ret_step,
                               fl_str ret_system[FL_SQL_SEARCH_COLS_MAX], int32_t *ret_n);

/** Enters the table expressions of a query's WITH. */
fl_status fl_sql_enter_ctes(binder *b, scope *outer, const fl_ast_query *ast, cte **ctes);

/** Binds one body of a query, with the tables that are visible in it. */
fl_status fl_sql_bind_query_body(binder *b, scope *outer, cte *ctes, const fl_ast_body *ast, output *ret);

/** Binds some inputs of a set operation as one. */
fl_status fl_sql_bind_set_of(binder *b, scope *outer, cte *ctes, const fl_ast_set *ast, int32_t n, output *ret);

/** Fails for the reference with which there are more than READS_MAX. */
fl_status fl_sql_fail_reads(binder *b, int32_t pos) __attribute__((cold));

/* ---- bind_grouping.c ---- */

typedef fl_status (*fl_sql_key_binder)(void *ctx, const fl_ast_expr *ast, const fl_expr **ret);

/** The elements of GROUP BY: its keys, each once, and the sets of them that are meant: each of one element with each of the others. */
fl_status fl_sql_bind_grouping_sets(binder *b, fl_ast_expr *const *elements, int32_t n, fl_sql_key_binder bind_key,
                                    void *ctx, const fl_expr ***ret_keys, int32_t *ret_n_keys, grouping_sets **ret);

/** grouping(a, b): a reference to the column that fl_sql_build_groups makes. */
fl_status fl_sql_bind_grouping(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret);

/** Puts the aggregates of the scope on *node, by the keys, for each of the sets (NULL: for all keys), and the columns of grouping().
 *  ret_cols[i] holds keys[i], null in sets that do not have it. */
fl_status fl_sql_build_groups(binder *b, const scope *s, const grouping_sets *sets, const fl_expr *const *keys,
                              int32_t n_keys, fl_col_id *ret_cols, const fl_node **node);

/** Puts the aggregate operator with the scope's aggregates on *node and rewrites the expressions over it: keys in them
 *  become its columns. FL_ERR_GROUPING for a column that is neither grouped nor aggregated. exprs[i] may be NULL;
 *  pos[i] is where a column stands that the text does not spell out (of a star). */
fl_status fl_sql_bind_group(binder *b, scope *s, const grouping_sets *sets, const fl_expr *const *keys, int32_t n_keys,
                            const fl_expr **exprs, const int32_t *pos, int32_t n_exprs, const fl_node **node);

/** Where a key puts nulls: as written, or as the session has it. */
bool fl_sql_nulls_first(const binder *b, const fl_ast_order *order);

/** The rows of the input for which the predicate holds; none, without reading the input, when it holds for no row. */
fl_status fl_sql_filter(binder *b, const fl_node *input, const fl_expr *predicate, const fl_node **ret);

/* ---- bind_star.c ---- */

/** COLUMNS(...): the column that it stands for now. */
fl_status fl_sql_bind_picked(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret);

/* Keys of ORDER BY with COLUMNS(...) spelled out: each, and the column that it stands for in it (NULL: it has none). */
typedef struct sort_list {
    fl_ast_order *orders;
    const scope_col **picked;
    int32_t n;
} sort_list;

fl_status fl_sql_expand_orders(binder *b, scope *s, const fl_ast_order *orders, int32_t n, sort_list *ret);

/** Elements of GROUP BY with COLUMNS(...) spelled out. */
fl_status fl_sql_expand_groups(binder *b, scope *s, fl_ast_expr *const *elements, int32_t n, fl_ast_expr *const **ret,
                               int32_t *ret_n);

/** WHERE; with COLUMNS(...) in it, it holds for each of the columns. */
fl_status fl_sql_bind_where(binder *b, scope *s, const fl_ast_select *ast, const fl_expr **ret);

/** Arguments or elements with the columns of *COLUMNS(...) in its place, each with the column's name; `args` where there is none. */
fl_status fl_sql_spread(binder *b, scope *s, const fl_ast_arg *args, int32_t n, const fl_ast_arg **ret, int32_t *ret_n);

fl_status fl_sql_spread_list(binder *b, scope *s, fl_ast_expr *const *items, int32_t n, fl_ast_expr *const **ret,
                             int32_t *ret_n);

/** Names of the select list: stars spelled out, the rest still unbound. */
fl_status fl_sql_expand_items(binder *b, scope *s, const fl_ast_select *ast, select_item **ret, int32_t *ret_n);

/** Exactly the output's columns, in order, no id twice: for set operations, subqueries, INSERT. */
fl_status fl_sql_output_exact(binder *b, output *out);

/** What a select list's expression is called where no alias says it. */
fl_str fl_sql_name_of(const fl_ast_expr *ast);

/** Applies LIMIT and OFFSET; `keys` are those of ORDER BY, columns of *node. */
fl_status fl_sql_bind_limit(binder *b, scope *outer, const fl_ast_query *ast, const fl_sort_key *keys, int32_t n_keys,
                            const fl_node **node);

/** The first share of the input's rows, in percent, behind `offset` of them, in the order of the keys, columns of *node. */
fl_status fl_sql_keep_share(binder *b, double percent, int64_t offset, const fl_sort_key *keys, int32_t n_keys,
                            const fl_node **node);

/* ---- bind_sample.c ---- */

/** Leaves a sample of the rows. */
fl_status fl_sql_sample(binder *b, scope *outer, const fl_ast_sample *ast, const fl_node **node);

/** An ordinal (ORDER BY 2): 1 .. n, or 0 when the expression is none. FL_ERR_COLUMN (42P10) out of range. */
fl_status fl_sql_bind_ordinal(binder *b, const fl_ast_expr *ast, const char *what, int32_t n, int32_t *ret);

#endif
