/* Walks over expressions. */
#include "plan/node.h"

void fl_expr_walk_init(fl_expr_walk *walk, fl_plan *plan)
{
    *walk = (fl_expr_walk){.plan = plan};
    fl_arena_init(&walk->arena, fl_plan_memory(plan));
    fl_index_map_init(&walk->known, &walk->arena);
}

void fl_expr_walk_drop(fl_expr_walk *walk)
{
    if (walk->plan == NULL)
        return;
    fl_arena_drop(&walk->arena);
    fl_free(walk->results);
    *walk = (fl_expr_walk){0};
}

fl_status fl_expr_walk_enter(fl_expr_walk *walk, const fl_expr *expr, bool *ret, fl_err *err)
{
    *ret = expr->size <= FL_EXPR_SMALL || fl_index_map_find(&walk->known, fl_index_map_key(expr)) < 0;
    return *ret && expr->size > FL_EXPR_SMALL ? fl_index_map_add(&walk->known, fl_index_map_key(expr), 0, err) : FL_OK;
}

static fl_status rewrite_subquery(fl_expr_walk *walk, const fl_expr *expr, fl_expr_rewriter fn, void *ctx,
                                  const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_subquery copy = *expr->subquery;
    const fl_expr **left = NULL;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(walk->plan), copy.n_left + 1, &left, err));
    for (int32_t i = 0; i < copy.n_left; i++)
        FL_TRY(fl_expr_walk_rewrite(walk, expr->subquery->left[i], fn, ctx, &left[i], err));
    copy.left = left;
    FL_TRY(fl_expr_subquery(walk->plan, &copy, expr->pos, ret, err));
cleanup:
    return st;
}

static fl_status remember(fl_expr_walk *walk, const fl_expr *expr, const fl_expr *result, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(fl_grow(walk->arena.memory, (void **)&walk->results, &walk->capacity, walk->n + 1,
                   (int64_t)sizeof(*walk->results), err));
    FL_TRY(fl_index_map_add(&walk->known, fl_index_map_key(expr), walk->n, err));
    walk->results[walk->n++] = result;
cleanup:
    return st;
}

static fl_status rewrite_parts(fl_expr_walk *walk, const fl_expr *expr, fl_expr_rewriter fn, void *ctx,
                               const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr *local[8], **args = local;
    int32_t n = expr->kind == FL_EXPR_IN ? 1 : expr->n_args; /* IN's list is constants only */
    *ret = expr;
    if (expr->kind == FL_EXPR_SUBQUERY && expr->subquery->n_left > 0)
        return rewrite_subquery(walk, expr, fn, ctx, ret, err);
    if (n == 0)
        return FL_OK;
    if (expr->n_args > FL_LEN(local))
        FL_TRY(FL_NEW_ARRAY(fl_plan_arena(walk->plan), expr->n_args, &args, err));
    memcpy(args, expr->args, (size_t)expr->n_args * sizeof(*args));
    for (int32_t i = 0; i < n; i++)
        FL_TRY(fl_expr_walk_rewrite(walk, expr->args[i], fn, ctx, &args[i], err));
    st = fl_expr_with_args(walk->plan, expr, args, ret, err);
cleanup:
    return st;
}

fl_status fl_expr_walk_rewrite(fl_expr_walk *walk, const fl_expr *expr, fl_expr_rewriter fn, void *ctx,
                               const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr *now = expr;
    bool is_small = expr->size <= FL_EXPR_SMALL;
    int32_t at = is_small ? -1 : fl_index_map_find(&walk->known, fl_index_map_key(expr));
    if (at >= 0) {
        *ret = walk->results[at];
        return FL_OK;
    }
    if (walk->is_top_down)
        FL_TRY(fn(ctx, walk->plan, expr, &now, err));
    if (now == expr)
        FL_TRY(rewrite_parts(walk, expr, fn, ctx, &now, err));
    if (!walk->is_top_down)
        FL_TRY(fn(ctx, walk->plan, now, &now, err));
    if (!is_small)
        FL_TRY(remember(walk, expr, now, err));
    *ret = now;
cleanup:
    return st;
}

fl_status fl_expr_rewrite(fl_plan *plan, const fl_expr *expr, fl_expr_rewriter fn, void *ctx, const fl_expr **ret,
                          fl_err *err)
{
    fl_expr_walk walk;
    fl_expr_walk_init(&walk, plan);
    fl_status st = fl_expr_walk_rewrite(&walk, expr, fn, ctx, ret, err);
    fl_expr_walk_drop(&walk);
    return st;
}

fl_status fl_substitution_init(fl_substitution *s, fl_plan *plan, const fl_col_id *from, const fl_expr *const *to,
                               int32_t n, fl_err *err)
{
    fl_status st = FL_OK;
    fl_expr_walk_init(&s->walk, plan);
    fl_index_map_init(&s->places, &s->walk.arena);
    s->to = to;
    for (int32_t i = 0; i < n; i++)
        FL_TRY(fl_index_map_add(&s->places, (uint64_t)from[i].n, i, err));
cleanup:
    if (st != FL_OK)
        fl_substitution_drop(s);
    return st;
}

void fl_substitution_drop(fl_substitution *s)
{
    fl_expr_walk_drop(&s->walk);
}

static fl_status substitute_one(void *ctx, fl_plan *plan, const fl_expr *expr, const fl_expr **ret, fl_err *err)
{
    (void)plan;
    (void)err;
    const fl_substitution *s = ctx;
    int32_t at = expr->kind == FL_EXPR_COLUMN ? fl_index_map_find(&s->places, (uint64_t)expr->col.n) : -1;
    *ret = at >= 0 ? s->to[at] : expr;
    return FL_OK;
}

fl_status fl_substitute(fl_substitution *s, const fl_expr *expr, const fl_expr **ret, fl_err *err)
{
    return fl_expr_walk_rewrite(&s->walk, expr, substitute_one, s, ret, err);
}
