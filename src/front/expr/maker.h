/* Making SQL's syntax nodes of what is no SQL: what the readers of trees, infix texts and filters share.
 *
 * Expressions here differ from SQL's in a few things, which are settled while their nodes are made: `/` gives a double, `== null` is a
 * test for null. What is made is bound as SQL is: names, types and functions are looked up there, and errors carry the node's position
 * (places.h). Nodes lie in the arena. */
#ifndef FL_FRONT_EXPR_MAKER_H
#define FL_FRONT_EXPR_MAKER_H

#include "front/expr/places.h"
#include "front/sql/ast.h"

typedef struct maker {
    fl_memory *memory;
    fl_arena *arena;
    fl_places *places;
    fl_err *err;
    const void *item; /* the JSON value that may have a name, "as": one of a list that is selected or grouped by */
    int32_t depth;    /* of values in each other that are being read */
} maker;

typedef enum maker_op {
    MAKER_ADD,
    MAKER_SUB,
    MAKER_MUL,
    MAKER_DIV,
    MAKER_MOD,
    MAKER_POW,
    MAKER_EQ,
    MAKER_NE,
    MAKER_LT,
    MAKER_LE,
    MAKER_GT,
    MAKER_GE,
    MAKER_AND,
    MAKER_OR,
    MAKER_NOT,
    MAKER_NEGATE,
} maker_op;

/** Fails at a position: FL_ERR_SYNTAX and the message. */
fl_status fl_maker_fail(const maker *m, int32_t at, const char *format, ...) __attribute__((format(printf, 3, 4)));

/** Goes one level deeper, or fails with FL_ERR_LIMIT; fl_maker_leave comes back. */
fl_status fl_maker_enter(maker *m, int32_t at);
static inline void fl_maker_leave(maker *m)
{
    m->depth--;
}

/** A name holds no NUL: what would come of it elsewhere is another name. */
fl_status fl_maker_check_name(const maker *m, fl_str name, int32_t at);

/** Leaves. `text` is borrowed. */
fl_status fl_maker_literal(maker *m, fl_ast_kind kind, fl_str text, int32_t at, fl_ast_expr **ret);
fl_status fl_maker_null(maker *m, int32_t at, fl_ast_expr **ret);
fl_status fl_maker_bool(maker *m, bool truth, int32_t at, fl_ast_expr **ret);

/** A number as it is written, with its sign. */
fl_status fl_maker_number(maker *m, fl_str digits, int32_t at, fl_ast_expr **ret);

/** A field by its path, "price" or "metadata.category"; "doc." before it says the same. */
fl_status fl_maker_field(maker *m, fl_str path, int32_t at, fl_ast_expr **ret);
fl_status fl_maker_column(maker *m, fl_ast_name *parts, int32_t n, int32_t at, fl_ast_expr **ret);

/** An operator; MAKER_NOT and MAKER_NEGATE have no right side. */
fl_status fl_maker_operator(maker *m, maker_op op, fl_ast_expr *left, fl_ast_expr *right, int32_t at,
                            fl_ast_expr **ret);

/** AND or OR of n ≥ 1. */
fl_status fl_maker_junction(maker *m, fl_ast_kind kind, fl_ast_expr *const *items, int32_t n, int32_t at,
                            fl_ast_expr **ret);

/** CASE WHEN when THEN then ELSE otherwise END. */
fl_status fl_maker_choice(maker *m, fl_ast_expr *when, fl_ast_expr *then, fl_ast_expr *otherwise, int32_t at,
                          fl_ast_expr **ret);

/** left IS [NOT] NULL, TRUE, DISTINCT FROM right. */
fl_status fl_maker_is(maker *m, fl_ast_is is, bool is_negated, fl_ast_expr *left, fl_ast_expr *right, int32_t at,
                      fl_ast_expr **ret);

/** left IN (items); of none it is false, for null, too. */
fl_status fl_maker_in(maker *m, fl_ast_expr *left, fl_ast_expr *const *items, int32_t n, int32_t at, fl_ast_expr **ret);

/** [items] */
fl_status fl_maker_list(maker *m, fl_ast_expr *const *items, int32_t n, int32_t at, fl_ast_expr **ret);

/** left ~ pattern, or ~*. */
fl_status fl_maker_regex(maker *m, fl_ast_expr *left, fl_ast_expr *pattern, bool no_case, int32_t at,
                         fl_ast_expr **ret);

/** `*`, all columns. */
fl_status fl_maker_star(maker *m, int32_t at, fl_ast_expr **ret);

/** A call; is_star: count(*). min and max of several values are the least and the greatest of them. */
fl_status fl_maker_call(maker *m, fl_str name, fl_ast_expr *const *args, int32_t n, bool is_star, bool is_distinct,
                        int32_t at, fl_ast_expr **ret);

#endif
