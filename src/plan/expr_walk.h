/* Walks over expressions that go into every part once, however many others share it.
 *
 * Expressions are hash-consed: of `a + a AS b, b + b AS c, c + c AS d, …` each is a part of the next one twice, and a tree of
 * 2^n parts is a graph of n. What is small (FL_EXPR_SMALL) is not remembered, since walking it again costs less. A walk that
 * goes on through several expressions, as those of an operator, goes into what they share once.
 *
 *     fl_expr_walk_init(&walk, plan);
 *     for (int32_t i = 0; i < n; i++)
 *         FL_TRY(fl_expr_walk_rewrite(&walk, exprs[i], rename, &names, &exprs[i], err));
 * cleanup:
 *     fl_expr_walk_drop(&walk);
 *
 * One walk does one thing: it rewrites with one function, or visits for one purpose. */
#ifndef FL_PLAN_EXPR_WALK_H
#define FL_PLAN_EXPR_WALK_H

#include "base/index_map.h"
#include "plan/expr.h"

typedef struct fl_expr_walk {
    fl_plan *plan;
    fl_arena arena; /* what is remembered */
    fl_index_map known;
    const fl_expr **results; /* rewriting: by place in `known` */
    int64_t capacity;
    int32_t n;
    bool is_top_down; /* rewriting: set after the init */
} fl_expr_walk;

/** Takes no memory yet. */
void fl_expr_walk_init(fl_expr_walk *walk, fl_plan *plan);
void fl_expr_walk_drop(fl_expr_walk *walk);

/** Whether to go into the expression: false where the walk has been there. */
fl_status fl_expr_walk_enter(fl_expr_walk *walk, const fl_expr *expr, bool *ret, fl_err *err);

/** Rewrites bottom-up: `fn` sees each part after its arguments were rewritten and may give another. Top-down it sees each part
 *  as it is, and what it gives another for is not gone into. Subqueries' left sides are rewritten, their plans are not. Depth is
 *  bounded by the makers (FL_ERR_LIMIT above 1,000 nested levels). */
typedef fl_status (*fl_expr_rewriter)(void *ctx, fl_plan *plan, const fl_expr *expr, const fl_expr **ret, fl_err *err);
fl_status fl_expr_walk_rewrite(fl_expr_walk *walk, const fl_expr *expr, fl_expr_rewriter fn, void *ctx,
                               const fl_expr **ret, fl_err *err);

/** The same for one expression. */
fl_status fl_expr_rewrite(fl_plan *plan, const fl_expr *expr, fl_expr_rewriter fn, void *ctx, const fl_expr **ret,
                          fl_err *err);

/* Replaces columns by expressions: `from[i]` becomes `to[i]`. For many expressions. */
typedef struct fl_substitution {
    fl_expr_walk walk;
    fl_index_map places; /* in `to`, by column */
    const fl_expr *const *to;
} fl_substitution;

/** Borrows `to` till the drop. */
fl_status fl_substitution_init(fl_substitution *s, fl_plan *plan, const fl_col_id *from, const fl_expr *const *to,
                               int32_t n, fl_err *err);
void fl_substitution_drop(fl_substitution *s);
fl_status fl_substitute(fl_substitution *s, const fl_expr *expr, const fl_expr **ret, fl_err *err);

#endif
