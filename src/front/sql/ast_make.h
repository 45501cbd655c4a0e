/* Making syntax trees that no text has: what a form of the language stands for, put together of other forms.
 *
 * A maker remembers the first failure, so that calls nest: each gives a node in any case, and `st` is looked at when the tree is
 * whole. All nodes have the maker's place: the form's, which is where faults of its parts are told. */
#ifndef FL_FRONT_SQL_AST_MAKE_H
#define FL_FRONT_SQL_AST_MAKE_H

#include "base/arena.h"
#include "front/sql/ast.h"

typedef struct fl_ast_maker {
    fl_arena *arena;
    fl_err *err;
    fl_status st; /* FL_OK so far, or the first failure: the tree is not to be used then */
    int32_t start, end;
    fl_ast_expr no_expr; /* given out behind a failure */
} fl_ast_maker;

static inline fl_ast_maker fl_sql_maker(fl_arena *arena, int32_t start, int32_t end, fl_err *err)
{
    return (fl_ast_maker){.arena = arena, .err = err, .start = start, .end = end};
}

fl_ast_name fl_sql_make_name(const fl_ast_maker *m, fl_str text);

/** `name`, or `table.name` where `table` is not empty. */
fl_ast_expr *fl_sql_make_column(fl_ast_maker *m, fl_str table, fl_str name);
fl_ast_expr *fl_sql_make_bound(fl_ast_maker *m, int32_t col);
fl_ast_expr *fl_sql_make_string(fl_ast_maker *m, fl_str text);

/** A text that is no literal of another type: text 'abc'. */
fl_ast_expr *fl_sql_make_text(fl_ast_maker *m, fl_str text);
fl_ast_expr *fl_sql_make_integer(fl_ast_maker *m, int64_t value);

/** Digits with a point. */
fl_ast_expr *fl_sql_make_decimal(fl_ast_maker *m, fl_str digits);
fl_ast_expr *fl_sql_make_value(fl_ast_maker *m, const struct fl_value *value);

/** An expression that is bound: it may stand in several places, of this query and those in it, and is not bound again. */
fl_ast_expr *fl_sql_make_done(fl_ast_maker *m, const struct fl_expr *done);
fl_ast_expr *fl_sql_make_null(fl_ast_maker *m);
fl_ast_expr *fl_sql_make_bool(fl_ast_maker *m, bool truth);
fl_ast_expr *fl_sql_make_binary(fl_ast_maker *m, fl_ast_op op, fl_ast_expr *left, fl_ast_expr *right);
fl_ast_expr *fl_sql_make_is_null(fl_ast_maker *m, fl_ast_expr *value, bool is_negated);

/** AND, OR, lists, rows: `items` is taken over where there are several; one item is itself in AND and OR. */
fl_ast_expr *fl_sql_make_list(fl_ast_maker *m, fl_ast_kind kind, fl_ast_expr **items, int32_t n);

/** CASE WHEN a THEN b [WHEN c THEN d] ELSE e END, from {a, b, c, d, e}. */
fl_ast_expr *fl_sql_make_case(fl_ast_maker *m, int32_t n, fl_ast_expr *const *parts);
fl_ast_expr *fl_sql_make_cast(fl_ast_maker *m, fl_ast_expr *value, const char *type);
fl_ast_expr *fl_sql_make_call(fl_ast_maker *m, const char *name, int32_t n, fl_ast_expr *const *args);
fl_ast_expr *fl_sql_make_field(fl_ast_maker *m, fl_ast_expr *value, fl_str name);

/** A query as an expression of this kind: FL_AST_SUBQUERY, FL_AST_EXISTS. */
fl_ast_expr *fl_sql_make_sub(fl_ast_maker *m, fl_ast_kind kind, fl_ast_query *query);

/** SELECT items FROM from: `from` may be NULL. Clauses are put in by the caller: query->body->select. */
fl_ast_query *fl_sql_make_query(fl_ast_maker *m, const fl_ast_item *items, int32_t n, fl_ast_table *from);

/** SELECT *, as the only item. */
fl_ast_item fl_sql_make_star(fl_ast_maker *m);
fl_ast_table *fl_sql_make_table(fl_ast_maker *m, fl_str name);
fl_ast_table *fl_sql_make_table_of(fl_ast_maker *m, fl_ast_query *query, fl_str alias);

/** unnest(lists...) AS alias(columns...) */
fl_ast_table *fl_sql_make_unnest(fl_ast_maker *m, int32_t n_lists, fl_ast_expr *const *lists, fl_str alias,
                                 const fl_str *columns, int32_t n);

#endif
